package explore

import "github.com/reapcheck/reapcheck/harness/explore/event"

// Spares says whether the run went well and nothing but a call that waits for the command
// alone took its status. A reaper that merely looks is no rival (WNOWAIT in waitid(2)).
func (r Run) Spares() bool {
	waited := false
	for _, step := range r.Steps {
		name, err := event.Parse(step.Chosen)
		if err != nil || name.Kind == event.Take || name.Kind == event.Waited && name.Failed {
			return false
		}
		waited = waited || name.Kind == event.Wait
	}
	return waited && !r.Bad()
}
