package namespace

import (
	"os"
	"testing"

	"github.com/reapcheck/reapcheck/harness/sandbox/pidns"
	"github.com/reapcheck/reapcheck/harness/sandbox/sandboxtest"
)

func TestNamespaceWhoseNumberCameAgain(t *testing.T) {
	rt := namespaceRuntime(t)
	dead, other := sandboxtest.Start(t, rt, sandboxtest.Spec(t)).(*namespaced), sandboxtest.Start(t, rt, sandboxtest.Spec(t))
	if err := dead.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	process := dead.cmd.Process
	dead.cmd.Process = &os.Process{Pid: other.PID()}
	defer func() { dead.cmd.Process = process }()
	sandboxtest.MustRefuseTheDead(t, dead, other)
}

func TestPIDNamespaceKnowsItsOwn(t *testing.T) {
	sb := sandboxtest.Start(t, namespaceRuntime(t), sandboxtest.Spec(t)).(*namespaced)
	if !sb.pids.Has(sb.PID()) || sb.pids.Has(os.Getpid()) || sb.pids.Has(1<<30) {
		t.Error("its PID 1, and neither this process nor none, expected")
	}
	own, err := pidns.Open(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	own.Close()
	if own.Has(os.Getpid()) || (*pidns.Namespace)(nil).Has(os.Getpid()) {
		t.Error("what is closed has a process")
	}
}
