package session

import (
	"testing"

	"github.com/reapcheck/reapcheck/harness/fault/seccomp"
)

// What was seen of some commands excuses a daemon that cannot win at all, and no PID 1: its
// reaper may look once in a while.
func TestWhoStandsAside(t *testing.T) {
	for name, c := range map[string]struct {
		counts     seccomp.Counts
		behindInit bool
		aside      bool
	}{
		"a zygote waits":       {seccomp.Counts{Foreign: 9}, false, true},
		"nothing was seen":     {seccomp.Counts{}, true, false},
		"behind an init":       {seccomp.Counts{Foreign: 9, Waits: 3}, true, true},
		"a reaper behind it":   {seccomp.Counts{Foreign: 9, Waits: 3, Takes: 1}, true, false},
		"PID 1 has not looked": {seccomp.Counts{Foreign: 9, Waits: 3}, false, false},
		"looks one by one":     {seccomp.Counts{Foreign: 9, Looks: 3}, true, false},
	} {
		found := asideIn(c.counts, c.behindInit)
		if (found.Why != "") != c.aside || found.WaitsForNone != (c.aside && c.counts.Own() == 0) {
			t.Errorf("%s: %+v", name, found)
		}
	}
}
