package sandboxtest

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/reapcheck/reapcheck/harness/probe"
	"github.com/reapcheck/reapcheck/harness/sandbox"
)

// MustLimitCPU sees a busy sandbox Throttled under the limit, and not without.
func MustLimitCPU(t *testing.T, sb sandbox.Sandbox) {
	t.Helper()
	l := sb.(sandbox.CPULimiter)
	err := l.LimitCPU(t.Context(), 0.1)
	if errors.Is(err, os.ErrPermission) || errors.Is(err, os.ErrNotExist) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	Shell(t, sb, "(while :; do :; done) >/dev/null 2>&1 &")
	const limit, enough = 10 * time.Second, 3
	var n int64
	for deadline := time.Now().Add(limit); n < enough &&
		time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		if n, err = l.Throttled(); err != nil {
			t.Fatal(err)
		}
	}
	if n < enough {
		t.Errorf("%d Throttled periods expected within %v, last saw %d", enough, limit, n)
	}
	before := used(t, sb)
	if err := l.FreeCPU(t.Context()); err != nil {
		t.Fatal(err)
	}
	awaitUse(t, sb, before+100*time.Millisecond)
}

// used is the CPU time that all processes of a sandbox have had.
func used(t *testing.T, sb sandbox.Sandbox) (total time.Duration) {
	t.Helper()
	seen, err := probe.Look(sb.PID())
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range seen {
		total += p.CPU
	}
	return total
}

// Answers says whether the target answers, on however busy a machine.
func Answers(t *testing.T, sb sandbox.Sandbox) bool {
	t.Helper()
	return answersWithin(t, sb, 30*time.Second)
}

func answersWithin(t *testing.T, sb sandbox.Sandbox, limit time.Duration) bool {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	asker := http.Client{Transport: sandbox.Transport(sb)}
	defer asker.CloseIdleConnections()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, sb.URL()+"/healthz", nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := asker.Do(request)
	if err != nil {
		return false
	}
	answer.Body.Close()
	return true
}

// MustFreeze sees all stand still, twice, and go on; a command that has stopped
// itself is not set going.
func MustFreeze(t *testing.T, sb sandbox.Sandbox) {
	t.Helper()
	f := sb.(sandbox.Freezer)
	Shell(t, sb, "(while :; do :; done) >/dev/null 2>&1 & sh -c 'kill -STOP $$' >/dev/null 2>&1 &")
	for range 2 {
		if err := f.Freeze(t.Context()); err != nil {
			t.Fatal(err)
		}
		before := used(t, sb)
		if answersWithin(t, sb, time.Second) {
			t.Error("a frozen target answers")
		}
		if after := used(t, sb); after != before {
			t.Errorf("used %v of CPU while it was frozen", after-before)
		}
		if err := f.Thaw(t.Context()); err != nil {
			t.Fatal(err)
		}
		awaitUse(t, sb, before)
	}
	if said := Shell(t, sb, "cat /proc/[0-9]*/stat"); strings.Count(said, " T ") != 1 {
		t.Errorf("one command had stopped itself: %s", said)
	}
}

func awaitUse(t *testing.T, sb sandbox.Sandbox, before time.Duration) {
	t.Helper()
	const limit = 10 * time.Second
	for deadline := time.Now().Add(limit); time.Now().Before(deadline); time.Sleep(
		10 * time.Millisecond) {
		if used(t, sb) > before {
			return
		}
	}
	t.Errorf("more than %v of CPU expected within %v of the thaw, last saw %v", before, limit,
		used(t, sb))
}

// What is frozen can be taken down, and a target that is gone is an error.
func MustEndFrozen(t *testing.T, sb sandbox.Sandbox) {
	t.Helper()
	f := sb.(sandbox.Freezer)
	if err := f.Freeze(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := sb.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	f.Thaw(t.Context()) // an engine says that there is nothing to thaw
	if err := f.Freeze(t.Context()); err == nil {
		t.Error("a sandbox that is gone was frozen")
	}
}

// MustRefuseTheDead takes a sandbox whose PID 1 has ended and whose number the
// machine has given to another one's.
func MustRefuseTheDead(t *testing.T, dead, other sandbox.Sandbox) {
	t.Helper()
	freezer := dead.(sandbox.Freezer)
	for what, try := range map[string]func() error{
		"frozen": func() error { return freezer.Freeze(t.Context()) },
		"given a next PID": func() error {
			return dead.(sandbox.PIDSetter).SetNextPID(t.Context(),
				4242)
		},
		"limited": func() error {
			return dead.(sandbox.PIDLimiter).LimitPIDs(t.Context(),
				3)
		},
		"kept short of CPU": func() error {
			return dead.(sandbox.CPULimiter).LimitCPU(t.Context(),
				0.5)
		},
	} {
		if err := try(); err == nil {
			t.Errorf("a sandbox that has ended was %s", what)
		}
		if !Answers(t, other) {
			t.Errorf("the other one stands still, as the dead one was to be %s", what)
		}
		freezer.Thaw(t.Context())
	}
	if said := Shell(t, other, "echo $$"); said == "0 4242\n" {
		t.Errorf("the other one was given the next PID: %s", said)
	}
}

// MustChoosePID lets a shell have a certain PID. The target's own threads take
// one now and then, so several numbers are tried.
func MustChoosePID(t *testing.T, sb sandbox.Sandbox) {
	t.Helper()
	var got string
	for pid := 4242; pid < 4252; pid++ {
		if err := sb.(sandbox.PIDSetter).SetNextPID(t.Context(), pid); err != nil {
			t.Fatal(err)
		}
		if got = Shell(t, sb, "echo $$"); got == fmt.Sprintf("0 %d\n", pid) {
			return
		}
	}
	t.Errorf("a shell with the chosen PID expected once in ten tries, last saw %q", got)
}

// Members counts the processes in the sandbox.
func Members(t *testing.T, sb sandbox.Sandbox) int {
	t.Helper()
	all, err := probe.Look(sb.PID())
	if err != nil {
		t.Fatal(err)
	}
	return len(all)
}

// MustLimitPIDs sees that there is room for as many processes as it says, and
// again for more when the limit is lifted.
func MustLimitPIDs(t *testing.T, sb sandbox.Sandbox) {
	t.Helper()
	limiter := sb.(sandbox.PIDLimiter)
	// six processes, the shell included
	const forkFour = "(sleep 0.1 & sleep 0.1 & sleep 0.1 & sleep 0.1 & wait) 2>&1"
	for _, c := range []struct {
		spare int
		room  bool
	}{{20, true}, {3, false}, {20, true}} {
		if err := limiter.LimitPIDs(t.Context(), c.spare); err != nil {
			t.Fatal(err)
		}
		if said := Shell(t, sb, forkFour); (said == "0 ") != c.room || !c.room &&
			!strings.Contains(said, "fork") {
			t.Errorf("room for %d processes: six said %q", c.spare, said)
		}
		if err := limiter.FreePIDs(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if said := Shell(t, sb, forkFour); said != "0 " {
		t.Errorf("after the limit: %q", said)
	}
}

// MustHaveOwnTemp sees a /tmp that is full at its size, and folders for temporary files that
// are nobody else's.
func MustHaveOwnTemp(t *testing.T, r sandbox.Runtime) {
	t.Helper()
	spec := Spec(t)
	spec.Temp = 1 << 20
	sb := Start(t, r, spec)
	said := Shell(t, sb, `f=/tmp/reapcheck-own-temp; dd if=/dev/zero of=$f bs=65536 count=64 2>&1; `+
		`set -- $(ls -l $f); echo "size $5"; echo "in ${TMPDIR:-/tmp}"; `+
		`for d in `+strings.Join(sandbox.TempFolders[1:], " ")+`; do `+
		`echo x >$d/reapcheck-own-temp || echo "no $d"; done`)
	for _, want := range []string{"No space left on device", "size 1048576\n", "in /tmp\n"} {
		if !strings.Contains(said, want) {
			t.Errorf("%q is missing in %q", want, said)
		}
	}
	for where, there := range map[string]bool{
		fmt.Sprintf("/proc/%d/root", sb.PID()): true, "": false,
	} {
		for _, folder := range sandbox.TempFolders {
			_, err := os.Stat(where + folder + "/reapcheck-own-temp")
			if there != (err == nil) {
				t.Errorf("below %q in %s: %v", where, folder, err)
			}
		}
	}
}
