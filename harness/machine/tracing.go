package machine

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"time"

	"github.com/reapcheck/reapcheck/harness/await"
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

// checkTracer attaches strace to a child of its own, as it will to targets. Where
// there is no strace that is said elsewhere.
func checkTracer(ctx context.Context) []sandbox.Check {
	if _, err := exec.LookPath("strace"); err != nil {
		return nil
	}
	c := sandbox.Check{Name: "tracer", OK: true,
		Detail: "strace attached to a child of this process"}
	if err := attach(ctx); err != nil {
		c.OK, c.Detail = false, err.Error()
		c.Advice = "look at /proc/sys/kernel/yama/ptrace_scope (2 needs CAP_SYS_PTRACE, 3 forbids it to all until the next start); in a container add that capability"
	}
	return []sandbox.Check{c}
}

// attachLimit is far more than an attach takes.
const attachLimit = await.Broken

func attach(ctx context.Context) error {
	child := exec.CommandContext(ctx, "sleep", "60")
	if err := child.Start(); err != nil {
		return fmt.Errorf("start a child: %w", err)
	}
	defer child.Wait()
	defer child.Process.Kill()
	var said bytes.Buffer
	strace := exec.CommandContext(ctx, "strace", "-o", os.DevNull, "-e", "trace=none", "-p",
		strconv.Itoa(child.Process.Pid))
	strace.Stdout, strace.Stderr = &said, &said
	if err := strace.Start(); err != nil {
		return fmt.Errorf("start strace: %w", err)
	}
	ended := make(chan struct{})
	go func() { defer close(ended); strace.Wait() }()
	defer func() { strace.Process.Kill(); <-ended }()
	return awaitTracer(ctx, child.Process.Pid, ended, &said)
}

// awaitTracer looks until the process has one, or strace has ended without.
func awaitTracer(ctx context.Context, pid int, ended <-chan struct{}, said *bytes.Buffer) error {
	path := fmt.Sprintf("/proc/%d/status", pid)
	tracer := await.Wait{For: "a tracer", Every: 10 * time.Millisecond, Limit: attachLimit,
		Over: ended}
	err := tracer.Until(ctx, func() (any, bool, error) {
		status, err := os.ReadFile(path)
		return "none", err == nil && !bytes.Contains(status, []byte("TracerPid:\t0\n")), err
	})
	if errors.Is(err, await.ErrOver) {
		return errors.New(string(bytes.TrimSpace(said.Bytes())))
	}
	return err
}
