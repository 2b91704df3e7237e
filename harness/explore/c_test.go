package explore

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
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
