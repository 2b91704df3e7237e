package fault

import (
	"strings"
	"testing"

	"github.com/reapcheck/reapcheck/harness/fault/seccomp"
)

// Where a held child stayed and nothing takes any child, the reaper may spare those of
// waiters; one that takes any child, or is held itself, is told no such thing.
func TestAHoldSaysWhereTheReaperMaySpareTheChild(t *testing.T) {
	for _, c := range []struct {
		rule   seccomp.Rule
		counts seccomp.Counts
		limit  bool
		spares bool
	}{
		{seccomp.ReaperWins, seccomp.Counts{Waits: 9, ReaperFirst: 9}, false, false},
		{seccomp.ReaperWins, seccomp.Counts{Waits: 9, LimitHits: 2}, true, true},
		{seccomp.ReaperWins, seccomp.Counts{Waits: 9, Looks: 1, LimitHits: 2}, true, true},
		{seccomp.ReaperWins, seccomp.Counts{Waits: 9, Takes: 1, LimitHits: 2}, true, false},
		{seccomp.WaiterWins, seccomp.Counts{Waits: 9, LimitHits: 2}, true, false},
	} {
		said := troubles(c.rule, c.counts)
		if strings.Contains(said, "2 held calls") != c.limit ||
			strings.Contains(said, "leave the scenario out") != c.spares {
			t.Errorf("%v, %+v: %q", c.rule, c.counts, said)
		}
	}
}
