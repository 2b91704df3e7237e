package namespace

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"time"

	"github.com/reapcheck/reapcheck/harness/sandbox"
	"github.com/reapcheck/reapcheck/harness/sandbox/namespace/stage"
)

// stageLimit bounds the 10 ms that a stage takes.
const stageLimit = 10 * time.Second

// stageCommand executes a program, by default this one, as the stage that becomes
// command, as PID 1. Its own session keeps the terminal's signals from it.
func stageCommand(program string, command ...string) *exec.Cmd {
	return &exec.Cmd{
		Path:      cmp.Or(program, "/proc/self/exe"),
		Args:      stage.Become(command...),
		Dir:       "/",
		WaitDelay: sandbox.DrainLimit,
		SysProcAttr: &syscall.SysProcAttr{
			Cloneflags:   syscall.CLONE_NEWPID,
			Unshareflags: syscall.CLONE_NEWNS, // and Go keeps our mounts from showing outside
			Setsid:       true,
			Pdeathsig:    syscall.SIGKILL,
		},
	}
}

// runStage starts a command that is a stage, by calling start, and returns when
// the stage has done its work or has failed. The command is the caller's to
// wait for, once it has a Process.
func runStage(cmd *exec.Cmd, start func() error) error {
	report, stageReport, err := os.Pipe()
	if err != nil {
		return err
	}
	defer report.Close()
	cmd.ExtraFiles = []*os.File{stageReport}
	err = start()
	stageReport.Close()
	if err != nil {
		return err
	}
	_ = report.SetReadDeadline(time.Now().Add(stageLimit))
	return stage.Outcome(report)
}

// stageProblem tells a machine that forbids sandboxes from a target that
// cannot be executed. It is nil for nil.
func stageProblem(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, os.ErrDeadlineExceeded):
		return fmt.Errorf("end of the stage expected within %v, it still runs", stageLimit)
	case errors.Is(err, stage.ErrExecute):
		return &sandbox.Problem{Kind: sandbox.ErrTarget, Doing: "start target", Cause: err, Advice: "it must be an executable for this machine"}
	default:
		return problemOf("prepare sandbox", err)
	}
}
