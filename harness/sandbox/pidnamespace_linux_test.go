package sandbox

import (
	"os"
	"testing"
)

// mustRefuseTheDead takes a sandbox whose PID 1 has ended and whose number the
// machine has given to another one's.
func mustRefuseTheDead(t *testing.T, dead, other Sandbox) {
	t.Helper()
	freezer := dead.(Freezer)
	for what, try := range map[string]func() error{
		"frozen":            func() error { return freezer.Freeze(t.Context()) },
		"given a next PID":  func() error { return dead.(PIDSetter).SetNextPID(t.Context(), 4242) },
		"limited":           func() error { return dead.(PIDLimiter).LimitPIDs(t.Context(), 3) },
		"kept short of CPU": func() error { return dead.(CPULimiter).LimitCPU(t.Context(), 0.5) },
	} {
		if err := try(); err == nil {
			t.Errorf("a sandbox that has ended was %s", what)
		}
		if !answers(t, other) {
			t.Errorf("the other one stands still, as the dead one was to be %s", what)
		}
		freezer.Thaw(t.Context())
	}
	if said := sh(t, other, "echo $$"); said == "0 4242\n" {
		t.Errorf("the other one was given the next PID: %s", said)
	}
}

func TestNamespaceWhoseNumberCameAgain(t *testing.T) {
	rt := namespaceRuntime(t)
	dead, other := start(t, rt, spec(t)).(*namespaced), start(t, rt, spec(t))
	if err := dead.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	process := dead.cmd.Process
	dead.cmd.Process = &os.Process{Pid: other.PID()}
	defer func() { dead.cmd.Process = process }()
	mustRefuseTheDead(t, dead, other)
}

func TestDockerWhoseNumberCameAgain(t *testing.T) {
	rt := runtimeOf(t)
	dead, other := start(t, rt, spec(t)).(*container), start(t, rt, spec(t))
	if err := dead.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	dead.pid = other.PID()
	mustRefuseTheDead(t, dead, other)
}

func TestPIDNamespaceKnowsItsOwn(t *testing.T) {
	sb := start(t, namespaceRuntime(t), spec(t)).(*namespaced)
	if !sb.pids.has(sb.PID()) || sb.pids.has(os.Getpid()) || sb.pids.has(1<<30) {
		t.Error("its PID 1, and neither this process nor none, expected")
	}
	own, err := openPIDNamespace(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	own.close()
	if own.has(os.Getpid()) || (*pidNamespace)(nil).has(os.Getpid()) {
		t.Error("what is closed has a process")
	}
}
