package namespace

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/reapcheck/reapcheck/harness/await"
	"github.com/reapcheck/reapcheck/harness/sandbox"
	"github.com/reapcheck/reapcheck/harness/sandbox/namespace/stage"
	"github.com/reapcheck/reapcheck/harness/sandbox/pidns"
)

// stageLimit bounds the 10 ms that a stage takes.
const stageLimit = await.Broken

// stageCommand executes a program, by default this one, as the stage that becomes
// command, as PID 1. Its own session keeps the terminal's signals from it.
func stageCommand(program string, become []string) *exec.Cmd {
	return &exec.Cmd{
		Path:      cmp.Or(program, "/proc/self/exe"),
		Args:      become,
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

// withOwnGroup is root with sandbox.OwnGroup; nil where this process cannot give a group, as in
// a user namespace that has only one (user_namespaces(7), setgroups).
func withOwnGroup() *syscall.Credential {
	if Whoami() != "user 0" || !pidns.Capable(unix.CAP_SETGID) {
		return nil
	}
	return &syscall.Credential{Groups: []uint32{sandbox.OwnGroup}}
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
		return &sandbox.Problem{
			Kind:   sandbox.ErrTarget,
			Doing:  "start target",
			Cause:  err,
			Advice: "it must be an executable for this machine",
		}
	default:
		return problemOf("prepare sandbox", err)
	}
}

// Try makes what a sandbox needs, a user namespace too where this
// process is not root, and lets go of it. The error says what forbids it.
func Try() error { return tryStage("") }

// tryStage has a program do a stage's work for no one.
func tryStage(program string) error {
	runtime.LockOSThread() // the death signal comes when this thread ends
	defer runtime.UnlockOSThread()
	cmd := stageCommand(program, stage.Become())
	cmd.SysProcAttr.Cloneflags |= syscall.CLONE_NEWNET
	if !pidns.Privileged() {
		asRoot(cmd.SysProcAttr)
	}
	err := runStage(cmd, cmd.Start)
	if cmd.Process != nil {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}
	return stageProblem(err)
}

// problemOf says which setting of this machine is behind an error.
func problemOf(doing string, err error) error {
	return &sandbox.Problem{
		Kind:   sandbox.ErrUnavailable,
		Doing:  doing,
		Cause:  err,
		Advice: namespaceAdvice(err, sysctl, filtered()),
	}
}

// limits are the settings that answer ENOSPC (namespaces(7)).
var limits = []string{"user.max_user_namespaces", "user.max_pid_namespaces",
	"user.max_mnt_namespaces", "user.max_net_namespaces"}

// namespaceAdvice names the setting and how to change it. sysctl gives the
// value of a setting, empty where this kernel has none; filtered is true under
// a seccomp filter.
func namespaceAdvice(err error, sysctl func(name string) string, filtered bool) string {
	switch {
	case errors.Is(err, syscall.ENOSPC):
		for _, name := range limits {
			if sysctl(name) == "0" {
				return fmt.Sprintf("%s is 0: sudo sysctl %[1]s=10000", name)
			}
		}
		return "as many namespaces as " + strings.Join(limits, ", ") +
			" allow are there already: end what holds them, or raise the limit with sudo sysctl"
	case errors.Is(err, syscall.EUSERS):
		return "namespaces lie too deep in each other (32 is the limit): run further outside"
	case errors.Is(err, syscall.EINVAL), errors.Is(err, syscall.ENOSYS):
		return "this kernel was built without some kind of namespace: use another one, " +
			"or the docker runtime"
	case errors.Is(err, stage.ErrMount):
		return "a container hides a part of /proc: " +
			"start it with --security-opt systempaths=unconfined, " +
			"or with --cap-add SYS_ADMIN --cap-add NET_ADMIN instead"
	case filtered:
		return "a seccomp filter forbids it, as in a container: " +
			"start that with --security-opt seccomp=unconfined " +
			"--security-opt systempaths=unconfined, " +
			"or with --cap-add SYS_ADMIN --cap-add NET_ADMIN instead"
	case sysctl("kernel.unprivileged_userns_clone") == "0":
		return "kernel.unprivileged_userns_clone is 0: " +
			"sudo sysctl kernel.unprivileged_userns_clone=1, or run as root"
	case sysctl("kernel.apparmor_restrict_unprivileged_userns") == "1":
		return "kernel.apparmor_restrict_unprivileged_userns is 1: " +
			"sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0, or run as root"
	default:
		return "a security module may forbid it, see the kernel's log; run as root, " +
			"or use the docker runtime"
	}
}

func sysctl(name string) string {
	text, _ := os.ReadFile(filepath.Join("/proc/sys", strings.ReplaceAll(name, ".", "/")))
	return strings.TrimSpace(string(text))
}

// filtered is true where this process is under a seccomp filter (proc(5)).
func filtered() bool {
	status, _ := os.ReadFile("/proc/self/status")
	return strings.Contains(string(status), "\nSeccomp:\t2\n")
}
