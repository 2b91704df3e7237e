package namespace

import (
	"os"
	"strings"
	"testing"

	"github.com/reapcheck/reapcheck/harness/probe"
	"github.com/reapcheck/reapcheck/harness/sandbox"
	"github.com/reapcheck/reapcheck/harness/sandbox/sandboxtest"
)

func TestNamespaceSetNextPID(t *testing.T) {
	sb := sandboxtest.Start(t, namespaceRuntime(t), sandboxtest.Spec(t))
	before := sandboxtest.Members(t, sb)
	sandboxtest.MustChoosePID(t, sb)
	if n := sandboxtest.Members(t, sb); n != before+1 {
		t.Errorf("%d processes and a shell expected while process IDs are chosen, found %d", before, n)
	}
	sb.(sandbox.PIDSetter).LeavePIDs()
	if n := sandboxtest.Members(t, sb); n != before {
		t.Errorf("%d processes expected afterwards, found %d", before, n)
	}
}

func TestNamespaceLimitPIDs(t *testing.T) {
	sb := sandboxtest.Start(t, namespaceRuntime(t), sandboxtest.Spec(t))
	if !hasPIDMaxPerNamespace(probe.Kernel()) {
		if err := sb.(sandbox.PIDLimiter).LimitPIDs(t.Context(), 3); err == nil || !strings.Contains(err.Error(), "6.14") {
			t.Errorf("pid_max of the whole machine: %v", err)
		}
		return
	}
	const pidMax = "/proc/sys/kernel/pid_max"
	before, err := os.ReadFile(pidMax)
	if err != nil {
		t.Fatal(err)
	}
	sandboxtest.MustLimitPIDs(t, sb)
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
	sb := sandboxtest.Start(t, namespaceRuntime(t), sandboxtest.Spec(t))
	if err := sb.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := sb.(sandbox.PIDSetter).SetNextPID(t.Context(), 4242); err == nil {
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

func TestDoctorKnowsWhereProcessesCanBeLimited(t *testing.T) {
	if c := checkPIDLimit("Linux 6.8.0-45-generic"); c.OK || c.Required || !strings.Contains(c.Advice, "6.14") {
		t.Errorf("an old kernel: %+v", c)
	}
	if c := checkPIDLimit("Linux 6.14.1"); !c.OK || c.Advice != "" {
		t.Errorf("a new one: %+v", c)
	}
}
