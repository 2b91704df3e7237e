package process

import (
	"errors"
	"os"
	"os/exec"
	"sync/atomic"
	"syscall"

	"github.com/reapcheck/reapcheck/daemon/faultpoint"
)

// waited is a child whose status is learned by cmd.Wait, in a goroutine that
// parks an OS thread until the child ends. None, ReaperOnly and Documented
// share it.
type waited struct {
	pid    int
	exited chan struct{}
	status syscall.WaitStatus
	err    error
}

// startWaited starts cmd, calls started with its PID, and then wait in a
// goroutine. Both get the PID because cmd.Process forgets it on release.
func startWaited(cmd *exec.Cmd, started func(pid int),
	wait func(cmd *exec.Cmd, pid int) (syscall.WaitStatus, error)) (Child, error) {
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	c := &waited{pid: cmd.Process.Pid, exited: make(chan struct{})}
	started(c.pid)
	go func() {
		defer close(c.exited)
		c.status, c.err = wait(cmd, c.pid)
	}()
	return c, nil
}

func nothing(int) {}

// waitCmd is cmd.Wait with its three kinds of answer told apart: a status,
// ECHILD, or another error.
func waitCmd(cmd *exec.Cmd, pid int) (syscall.WaitStatus, error) {
	faultpoint.Reach(faultpoint.BeforeWait, pid)
	err := cmd.Wait()
	if state := cmd.ProcessState; state != nil {
		return state.Sys().(syscall.WaitStatus), nil
	}
	// After an error the pidfd stays open until the garbage collector comes.
	cmd.Process.Release()
	if errors.Is(err, syscall.ECHILD) {
		return 0, syscall.ECHILD
	}
	return 0, err
}

// waitOnce is waitCmd for who has no other way to a status: ECHILD, which it counts, means
// that it is lost.
func waitOnce(cmd *exec.Cmd, pid int, echild *atomic.Int64) (syscall.WaitStatus, error) {
	status, err := waitCmd(cmd, pid)
	if err == syscall.ECHILD {
		echild.Add(1)
		return 0, ErrStatusUnknown
	}
	return status, err
}

func (c *waited) PID() int                            { return c.pid }
func (c *waited) Exited() <-chan struct{}             { return c.exited }
func (c *waited) Status() (syscall.WaitStatus, error) { return c.status, c.err }
func (c *waited) Pin() (release func())               { return func() {} }
func (c *waited) Forget()                             {}

// Signal can be late: between the reaping, by whomever, and the end of
// cmd.Wait the PID may have changed hands. That is the strategies' flaw.
func (c *waited) Signal(sig syscall.Signal) error {
	select {
	case <-c.exited:
		return os.ErrProcessDone
	default:
		syscall.Kill(-c.pid, sig)
		return syscall.Kill(c.pid, sig) // it may have left its group
	}
}
