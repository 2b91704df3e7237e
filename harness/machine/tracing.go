package machine

import (
	"context"
	"fmt"
	"os"
	"os/exec"

	"golang.org/x/sys/unix"

	"github.com/reapcheck/reapcheck/harness/fault/late"
	"github.com/reapcheck/reapcheck/harness/launcher"
	"github.com/reapcheck/reapcheck/harness/sandbox"
)

// checkListener installs once what holds a target's system calls.
func checkListener() sandbox.Check {
	if err := launcher.Try(); err != nil {
		return sandbox.Check{
			Name: "listener for system calls", Detail: err.Error(),
			Advice: "without it no scenario that holds a call from outside can be judged",
		}
	}
	return sandbox.Check{Name: "listener for system calls", OK: true,
		Detail: "installed one in a thread of this process"}
}

// checkTracer traces a child of its own, as it will trace targets.
func checkTracer(ctx context.Context) sandbox.Check {
	if err := traceChild(ctx); err != nil {
		return sandbox.Check{
			Name: "tracer", Detail: err.Error(),
			Advice: "look at /proc/sys/kernel/yama/ptrace_scope (2 needs CAP_SYS_PTRACE, " +
				"3 forbids it to all until the next start); in a container add that capability; " +
				"without it late-publish, late-register, pid-reuse and echild-wait are " +
				"inconclusive from outside; --skip leaves them out",
		}
	}
	return sandbox.Check{Name: "tracer", OK: true, Detail: "has traced a child of this process"}
}

// traceChild has a child in a user namespace of its own, as targets are, unless root
// runs it.
func traceChild(ctx context.Context) error {
	child := exec.CommandContext(ctx, "sleep", "60")
	if os.Geteuid() != 0 {
		child.SysProcAttr = &unix.SysProcAttr{Cloneflags: unix.CLONE_NEWUSER}
	}
	if err := child.Start(); err != nil {
		return fmt.Errorf("start a child: %w", err)
	}
	defer child.Wait()
	defer child.Process.Kill()
	tracer, err := late.Start(ctx, child.Process.Pid, late.Wait4, 0)
	if err != nil {
		return err
	}
	_, err = tracer.End(ctx)
	return err
}
