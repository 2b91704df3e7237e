package bench

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/reapcheck/reapcheck/fixtures/programs"
	"github.com/reapcheck/reapcheck/harness/trial"
)

func TestTheMachinesLimit(t *testing.T) {
	machine, err := compileLimit(t.Context(), t.TempDir(), programs.SpawnLimit, 1)
	if err != nil {
		t.Fatal(err)
	}
	for _, inFlight := range []int{1, 16} {
		came, err := machine.turn(t.Context(), inFlight, 50*time.Millisecond)
		if err != nil {
			t.Fatal(err)
		}
		n := came.outcomes[trial.OK]
		if n < inFlight || came.outcomes.Bad() != 0 || int64(n) != came.times.TotalCount() || came.took < 50*time.Millisecond || came.cost.all() <= 0 {
			t.Errorf("%d in flight: %v in %v, cost %v", inFlight, came.outcomes, came.took, came.cost)
		}
	}
}

// A program that does not look would count commands that never ran.
func TestTheMachinesLimitIsJudged(t *testing.T) {
	for name, change := range map[string][2]string{
		"another code":   {`echo %.*s; exit %d`, `echo %.*s; exit $((%d ^ 1))`},
		"another output": {`echo %.*s; exit %d`, `echo x%.*s; exit %d`},
		"no output":      {`echo %.*s; exit %d`, `: %.*s; exit %d`},
	} {
		text := bytes.Replace(programs.SpawnLimit, []byte(change[0]), []byte(change[1]), 1)
		if bytes.Equal(text, programs.SpawnLimit) {
			t.Fatal("the source has changed: change the test")
		}
		machine, err := compileLimit(t.Context(), t.TempDir(), text, 1)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := machine.turn(t.Context(), 2, 50*time.Millisecond); err == nil || !strings.Contains(err.Error(), "wait status") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestReadingTheLimit(t *testing.T) {
	got, err := readLimit([]byte("50000000\n1000000\n3000000\n"))
	if err != nil || got.took != 50*time.Millisecond || got.times.TotalCount() != 2 || got.perSecond() != 40 {
		t.Errorf("%+v, %v", got, err)
	}
	for _, text := range []string{"", "50000000\n", "x\n", "50000000\nx\n", "50000000\n-1\n"} {
		if _, err := readLimit([]byte(text)); err == nil {
			t.Errorf("%q is no error", text)
		}
	}
}

func TestWithoutACompiler(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	if _, err := compileLimit(t.Context(), t.TempDir(), programs.SpawnLimit, 1); err != errNoCompiler {
		t.Errorf("got %v", err)
	}
}
