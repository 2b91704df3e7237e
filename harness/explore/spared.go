package explore

import (
	"slices"

	"github.com/reapcheck/reapcheck/harness/explore/event"
	"github.com/reapcheck/reapcheck/harness/explore/search"
)

// Spares says whether the run went well and nothing but a call that waits for the command
// alone, until its end, took its status. A reaper that merely looks is no rival (WNOWAIT in
// waitid(2)); one that takes by number what it has seen is one.
func (r Run) Spares() bool {
	waited := event.Name{Kind: event.Waited, Command: 1}.String()
	return !r.Bad() && r.Rivals == 0 && slices.Contains(search.Order(r.Steps), waited)
}
