package sandbox

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/reapcheck/reapcheck/harness/probe"
)

// mustChoosePID lets a shell have a certain PID. The target's own threads take
// one now and then, so several numbers are tried.
func mustChoosePID(t *testing.T, sb Sandbox) {
	t.Helper()
	var got string
	for pid := 4242; pid < 4252; pid++ {
		if err := sb.(PIDSetter).SetNextPID(t.Context(), pid); err != nil {
			t.Fatal(err)
		}
		if got = sh(t, sb, "echo $$"); got == fmt.Sprintf("0 %d\n", pid) {
			return
		}
	}
	t.Errorf("a shell with the chosen PID expected once in ten tries, last saw %q", got)
}

func TestNamespaceSetNextPID(t *testing.T) {
	sb := start(t, namespaceRuntime(t), spec(t))
	before := members(t, sb)
	mustChoosePID(t, sb)
	if n := members(t, sb); n != before+1 {
		t.Errorf("%d processes and a shell expected while process IDs are chosen, found %d", before, n)
	}
	sb.(PIDSetter).LeavePIDs()
	if n := members(t, sb); n != before {
		t.Errorf("%d processes expected afterwards, found %d", before, n)
	}
}

// members counts the processes in the sandbox.
func members(t *testing.T, sb Sandbox) int {
	t.Helper()
	all, err := probe.Look(sb.PID())
	if err != nil {
		t.Fatal(err)
	}
	return len(all)
}

func TestDockerSetNextPID(t *testing.T) {
	sb := start(t, runtimeOf(t), spec(t))
	if mayMakeNamespaces() && whoami() == "user 0" {
		mustChoosePID(t, sb)
	} else if err := sb.(PIDSetter).SetNextPID(t.Context(), 4242); err == nil || !strings.Contains(err.Error(), "root") {
		t.Errorf("without root: %v", err)
	}
}

// mustLimitPIDs sees that there is room for as many processes as it says, and
// again for more when the limit is lifted.
func mustLimitPIDs(t *testing.T, sb Sandbox) {
	t.Helper()
	limiter := sb.(PIDLimiter)
	const forkFour = "(sleep 0.1 & sleep 0.1 & sleep 0.1 & sleep 0.1 & wait) 2>&1" // six processes, the shell included
	for _, c := range []struct {
		spare int
		room  bool
	}{{20, true}, {3, false}, {20, true}} {
		if err := limiter.LimitPIDs(t.Context(), c.spare); err != nil {
			t.Fatal(err)
		}
		if said := sh(t, sb, forkFour); (said == "0 ") != c.room || !c.room && !strings.Contains(said, "fork") {
			t.Errorf("room for %d processes: six said %q", c.spare, said)
		}
		if err := limiter.FreePIDs(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if said := sh(t, sb, forkFour); said != "0 " {
		t.Errorf("after the limit: %q", said)
	}
}

func TestDockerLimitPIDs(t *testing.T) { mustLimitPIDs(t, start(t, runtimeOf(t), spec(t))) }

func TestNamespaceLimitPIDs(t *testing.T) {
	sb := start(t, namespaceRuntime(t), spec(t))
	if !hasPIDMaxPerNamespace(Kernel()) {
		if err := sb.(PIDLimiter).LimitPIDs(t.Context(), 3); err == nil || !strings.Contains(err.Error(), "6.14") {
			t.Errorf("pid_max of the whole machine: %v", err)
		}
		return
	}
	const pidMax = "/proc/sys/kernel/pid_max"
	before, err := os.ReadFile(pidMax)
	if err != nil {
		t.Fatal(err)
	}
	mustLimitPIDs(t, sb)
	if after, err := os.ReadFile(pidMax); err != nil || string(after) != string(before) {
		t.Errorf("pid_max of the machine was %s and is %s (%v)", before, after, err)
	}
}

func TestPIDMaxLeavesRoomBesideWhatIsUsed(t *testing.T) {
	used := map[int]bool{1: true, 299: true, 300: true, 302: true}
	for spare, want := range map[int]int{1: 302, 2: 304, 5: 307} {
		if got := pidMaxFor(used, spare); got != want {
			t.Errorf("room for %d: pid_max %d, want %d", spare, got, want)
		}
	}
}

func TestPIDsOfASandboxThatEnded(t *testing.T) {
	sb := start(t, namespaceRuntime(t), spec(t))
	if err := sb.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := sb.(PIDSetter).SetNextPID(t.Context(), 4242); err == nil {
		t.Error("a sandbox that ended has a next PID")
	}
}

func TestPIDMaxPerNamespace(t *testing.T) {
	for kernel, want := range map[string]bool{
		"Linux 6.18.44-fc-v769": true, "Linux 6.14.0": true, "Linux 7.0-rc1": true,
		"Linux 6.13.9": false, "Linux 5.15.0-91-generic": false, "unknown kernel": false,
	} {
		if got := hasPIDMaxPerNamespace(kernel); got != want {
			t.Errorf("%s: %v", kernel, got)
		}
	}
}
