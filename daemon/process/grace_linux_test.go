package process

import (
	"strings"
	"testing"
	"time"
)

// What SIGTERM reaches may clean up before SIGKILL comes: the shell, a child that
// outlives it, one that has left its group, one that is stopped.
func TestGraceLetsACommandCleanUp(t *testing.T) {
	const cleans = `trap "sleep 0.2; echo cleaned; exit" TERM; echo begun; while :; do sleep 0.02; done`
	commands := map[string]string{
		"shell":   cleans,
		"child":   "sh -c '" + cleans + "' & wait",
		"session": "setsid sh -c '" + cleans + "' & wait",
		"stopped": `trap "echo cleaned; exit" TERM; echo begun; kill -STOP $$; sleep 300`,
	}
	x := newExecutor(t, "registry", Options{KillGrace: patience})
	for name, command := range commands {
		if got := string(runFor(t, x, time.Second, command).Output); !strings.HasPrefix(got, "begun\n") || !strings.HasSuffix(got, "cleaned\n") {
			t.Errorf("%s: output %q, want that it cleaned up", name, got)
		}
	}
	wantNoDescendants(t)
}

// Who resists has the grace and no more, and so has what it starts meanwhile.
func TestGraceEnds(t *testing.T) {
	commands := map[string]string{
		"resists":             "trap '' TERM; sleep 300 & wait; sleep 300; :",
		"child resists":       "sh -c 'trap \"\" TERM; while :; do sleep 0.02; done' & wait",
		"session resists":     "setsid sh -c 'trap \"\" TERM; while :; do sleep 0.02; done' & wait",
		"starts a session":    "trap 'setsid sleep 300 &' TERM; while :; do sleep 0.02; done",
		"child starts one":    "sh -c 'trap \"setsid sleep 300 &\" TERM; while :; do sleep 0.02; done' & wait",
		"starts another such": "trap 'sh -c \"trap : TERM; sleep 300 & wait; sleep 300\" &' TERM; while :; do sleep 0.02; done",
	}
	const grace = 300 * time.Millisecond
	x := newExecutor(t, "registry", Options{KillGrace: grace})
	for name, command := range commands {
		begin := time.Now()
		runFor(t, x, time.Second, command)
		if took := time.Since(begin) - time.Second; took < grace {
			t.Errorf("%s: killed after %v, want not before %v", name, took, grace)
		}
	}
	wantNoDescendants(t)
}

// Without a grace nothing is asked to end.
func TestNoGraceKillsAtOnce(t *testing.T) {
	x := newExecutor(t, "registry", Options{})
	if got := string(runFor(t, x, time.Second, `trap "echo asked" TERM; echo begun; while :; do sleep 0.02; done`).Output); got != "begun\n" {
		t.Errorf("output %q, want no trap to have run", got)
	}
}
