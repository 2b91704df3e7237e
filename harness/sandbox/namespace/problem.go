package namespace

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"

	"github.com/reapcheck/reapcheck/harness/sandbox"
	"github.com/reapcheck/reapcheck/harness/sandbox/namespace/stage"
	"github.com/reapcheck/reapcheck/harness/sandbox/pidns"
)

// Try makes what a sandbox needs, a user namespace too where this
// process is not root, and lets go of it. The error says what forbids it.
func Try() error { return tryStage("") }

// tryStage has a program do a stage's work for nobody.
func tryStage(program string) error {
	runtime.LockOSThread() // the death signal comes when this thread ends
	defer runtime.UnlockOSThread()
	cmd := stageCommand(program)
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
	return &sandbox.Problem{Kind: sandbox.ErrUnavailable, Doing: doing, Cause: err, Advice: namespaceAdvice(err, sysctl, filtered())}
}

// limits are the settings that answer ENOSPC (namespaces(7)).
var limits = []string{"user.max_user_namespaces", "user.max_pid_namespaces", "user.max_mnt_namespaces", "user.max_net_namespaces"}

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
		return "as many namespaces as " + strings.Join(limits, ", ") + " allow are there already: end what holds them, or raise the limit with sudo sysctl"
	case errors.Is(err, syscall.EUSERS):
		return "namespaces lie too deep in each other (32 is the limit): run further outside"
	case errors.Is(err, syscall.EINVAL), errors.Is(err, syscall.ENOSYS):
		return "this kernel was built without some kind of namespace: use another one, or the docker runtime"
	case errors.Is(err, stage.ErrMount):
		return "a container hides a part of /proc: start it with --security-opt systempaths=unconfined"
	case filtered:
		return "a seccomp filter forbids it, as in a container: start that with --security-opt seccomp=unconfined --security-opt systempaths=unconfined"
	case sysctl("kernel.unprivileged_userns_clone") == "0":
		return "kernel.unprivileged_userns_clone is 0: sudo sysctl kernel.unprivileged_userns_clone=1, or run as root"
	case sysctl("kernel.apparmor_restrict_unprivileged_userns") == "1":
		return "kernel.apparmor_restrict_unprivileged_userns is 1: sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0, or run as root"
	default:
		return "a security module may forbid it, see the kernel's log; run as root, or use the docker runtime"
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
