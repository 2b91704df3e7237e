package explore

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/reapcheck/reapcheck/harness/explore/search"
)

// inC compiles a program, or skips the test where nothing can.
func inC(t *testing.T, source string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "target")
	said, err := exec.Command("cc", "-O1", "-static", "-pthread", "-o", path, source).
		CombinedOutput()
	switch {
	case errors.Is(err, exec.ErrNotFound) && os.Getenv("CI") != "true":
		t.Skipf("no C compiler here, so no target in C is tried: %v", err)
	case err != nil:
		t.Fatalf("%v\n%s", err, said)
	}
	return path
}

// One thread alone takes SIGCHLD there. While it is held the signal cannot arrive, and the
// kernel merges the next one with it.
func TestASignalWaitsForTheThreadThatTakesIt(t *testing.T) {
	x := of(t, "")
	x.Spec.Binary = inC(t, "../../fixtures/programs/cdaemon/cdaemon.c")
	x.Spec.Args = []string{"handler"}
	bounds := Bounds{Delays: search.NoBound, Orders: 4}
	found, err := x.Explore(t.Context(), Shape("rush", 1, 0), bounds, nil)
	if err != nil || len(found.Bad) != 0 || found.Restless != 0 {
		t.Errorf("%s, %d bad, %d without a rest, error %v", found.Tried(), len(found.Bad),
			found.Restless, err)
	}
}

// A flag that a handler sets is looked at before the sleep, or is not seen in it. A pipe, and a
// signal that is blocked outside of the sleep, lose nothing.
func TestASignalJustBeforeASleep(t *testing.T) {
	daemon := inC(t, "testdata/loop.c")
	for manner, first := range map[string]string{
		"flag": "exit start eof missed", "pipe": "", "ppoll": "",
	} {
		t.Run(manner, func(t *testing.T) {
			x := of(t, "")
			x.Spec.Binary, x.Spec.Args = daemon, []string{manner}
			missed := 0
			found, err := x.Explore(t.Context(), Shape("instant", 1, 1),
				Bounds{Delays: search.NoBound}, func(r Run) {
					missed += strings.Count(r.Order(), "missed")
				})
			if err != nil || found.Delays != search.NoBound {
				t.Fatalf("%s, error %v", found.Tried(), err)
			}
			if swaps := manner == "ppoll"; swaps != (missed == 0) {
				t.Errorf("SIGCHLD came before a sleep %d times", missed)
			}
			bad := ""
			if len(found.Bad) > 0 {
				bad = found.Bad[0].Order()
			}
			if bad != first {
				t.Errorf("%s; the first bad order is %q, want %q", found.Tried(), bad, first)
			}
		})
	}
}

// What keeps time by calls that are the clock's has it as a choice. What does so by others
// is said to, by name, and goes without.
func TestATargetWhoseTimeCannotBeHadIsSaidToBeOne(t *testing.T) {
	daemon := inC(t, "../../fixtures/programs/cdaemon/cdaemon.c")
	for manner, untimed := range map[string]string{
		"naps": "", "ticks": "", "rings": "io_uring_enter",
	} {
		t.Run(manner, func(t *testing.T) {
			x := of(t, "")
			x.Spec.Binary, x.Spec.Args = daemon, []string{manner}
			var last Run
			found, err := x.Explore(t.Context(), Shape("instant", 1, 1),
				Bounds{Delays: search.NoBound, Orders: 3}, func(r Run) { last = r })
			if err != nil || len(found.Bad) != 0 {
				t.Fatalf("%s, %d bad (%v), error %v", found.Tried(), len(found.Bad), found.Bad, err)
			}
			timed := strings.Contains(last.Order(), "time100")
			if timed != (untimed == "") || strings.Join(found.Untimed, " ") != untimed {
				t.Errorf("%s; by %q", last.Order(), found.Untimed)
			}
			if said := strings.Contains(found.Tried(), "takes it by "+untimed); said == timed {
				t.Errorf("it says %q", found.Tried())
			}
		})
	}
}

// It is not hung: what it waits for comes, at a time that is nobody's choice.
func TestATargetThatWaitsForRealTimeIsDeclined(t *testing.T) {
	x := of(t, "")
	x.Spec.Binary = inC(t, "../../fixtures/programs/cdaemon/cdaemon.c")
	x.Spec.Args = []string{"alarms"}
	_, err := x.Run(t.Context(), oneCommand, Follow(nil))
	if !errors.Is(err, ErrDeclined) || !strings.Contains(err.Error(), "setitimer") {
		t.Errorf("error %v", err)
	}
}
