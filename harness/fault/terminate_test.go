package fault

import (
	"os/exec"
	"testing"

	"github.com/reapcheck/reapcheck/harness/probe"
)

// What has another's number by now is let be.
func TestTerminateEndsWhatItWasShown(t *testing.T) {
	sleep := exec.Command("sleep", "60")
	if err := sleep.Start(); err != nil {
		t.Fatal(err)
	}
	p, err := probe.LookAt(sleep.Process.Pid)
	if err != nil {
		t.Fatal(err)
	}
	other := p
	other.Inner++
	if err := Terminate(probe.Snapshot{other}); err != nil {
		t.Error(err)
	}
	if now, err := probe.LookAt(p.PID); err != nil || now.Zombie() {
		t.Errorf("another's number was signalled: %v, %v", now, err)
	}
	if err := Terminate(probe.Snapshot{p}); err != nil {
		t.Error(err)
	}
	if err := sleep.Wait(); err == nil || err.Error() != "signal: terminated" {
		t.Errorf("ended by %v", err)
	}
	if err := Terminate(probe.Snapshot{p}); err != nil {
		t.Errorf("one that is gone: %v", err)
	}
}
