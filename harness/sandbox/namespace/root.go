package namespace

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/reapcheck/reapcheck/harness/sandbox"
	"github.com/reapcheck/reapcheck/harness/sandbox/pidns"
)

// BecomingRoot is set for the run that BecomeRoot starts, which must not start another.
const BecomingRoot = "REAPCHECK_BECOMING_ROOT"

// BecomeRoot gives an ordinary user the rights that the namespace runtime
// needs: it runs this command again as root of a user namespace, hands on
// signals, and ends with its exit status. Root there is the same user to the
// rest of the machine. It returns nil at once where the rights are there
// already, and an error where they cannot be had.
//
// Call it before anything is made or opened. A process with threads cannot
// enter a user namespace itself (user_namespaces(7)).
func BecomeRoot() error {
	if pidns.Privileged() {
		return nil
	}
	if os.Getenv(BecomingRoot) != "" {
		return problemOf("become root of a user namespace", unix.EPERM)
	}
	status, err := runAgain()
	if err != nil {
		return err
	}
	os.Exit(status)
	return nil
}

// runAgain runs this very command line as root and returns its exit status.
func runAgain() (int, error) {
	runtime.LockOSThread() // the death signal comes when this thread ends
	defer runtime.UnlockOSThread()
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, append(sandbox.Interrupts(), syscall.SIGQUIT, syscall.SIGTSTP)...)
	defer signal.Stop(signals)
	again := &exec.Cmd{
		Path: "/proc/self/exe", Args: os.Args, Env: append(os.Environ(), BecomingRoot+"=1"),
		Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr,
		// In a group of its own, since a terminal's signals go to the whole group:
		// a second Ctrl-C kills, and one must not be two.
		SysProcAttr: &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true},
	}
	asRoot(again.SysProcAttr)
	if err := again.Start(); err != nil {
		return 0, problemOf("become root of a user namespace", err)
	}
	ended := make(chan error, 1)
	go func() { ended <- again.Wait() }()
	for {
		select {
		case s := <-signals:
			handOn(again.Process, s)
		case err := <-ended:
			var exit *exec.ExitError
			if err != nil && !errors.As(err, &exit) {
				return 0, fmt.Errorf("run as root of a user namespace: %w", err)
			}
			return sandbox.ShellStatus(again.ProcessState), nil
		}
	}
}

// handOn gives one signal to the second run. One that has ended needs none.
func handOn(again *os.Process, s os.Signal) {
	if s != syscall.SIGTSTP {
		_ = again.Signal(s)
		return
	}
	_ = again.Signal(syscall.SIGSTOP)
	_ = syscall.Kill(os.Getpid(), syscall.SIGSTOP) // until the shell's fg or bg
	_ = again.Signal(syscall.SIGCONT)
}

// asRoot maps this user, and no other, to root of a new user namespace.
func asRoot(attr *syscall.SysProcAttr) {
	attr.Cloneflags |= syscall.CLONE_NEWUSER
	attr.UidMappings = []syscall.SysProcIDMap{{HostID: os.Geteuid(), Size: 1}}
	attr.GidMappings = []syscall.SysProcIDMap{{HostID: os.Getegid(), Size: 1}}
}

// Whoami says who this process is to the rest of the machine.
func Whoami() string {
	var inside, outside, count int
	text, err := os.ReadFile("/proc/self/uid_map")
	if err == nil {
		_, err = fmt.Sscan(string(text), &inside, &outside, &count)
	}
	if err != nil || outside == 0 {
		return fmt.Sprintf("user %d", os.Geteuid())
	}
	return fmt.Sprintf("user %d, root of a user namespace", outside)
}
