package process

import (
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

// InitInFront is the way of tini and of docker run --init: another program is PID 1,
// starts the daemon as its only child, hands signals on to it, and reaps whatever
// ends. The daemon waits for its own children and never meets an orphan.
//
// Source: krallin/tini, src/tini.c at 003414a (reap_zombies, wait_and_forward_signal),
// read 2026-11-28. RunInit is that program here, so that nothing has to be installed.
//
// What it costs: a process more; and the daemon is no longer PID 1, so that the kernel
// does not keep its own commands' signals from it: kill -9 -1 ends it (pid_namespaces(7)).
type InitInFront struct{ None }

// NewInitInFront has nothing to start: RunInit has been called in front of it.
func NewInitInFront() *InitInFront { return &InitInFront{} }

// behindInit marks the daemon that RunInit has started.
const behindInit = "DECK_BEHIND_INIT"

// BehindInit says, once, whether RunInit has started this process. Commands do not
// inherit the mark.
func BehindInit() bool {
	_, marked := os.LookupEnv(behindInit)
	os.Unsetenv(behindInit)
	return marked
}

// handedOn are the signals that an init passes to its only child.
var handedOn = []os.Signal{
	syscall.SIGTERM, syscall.SIGINT, syscall.SIGQUIT, syscall.SIGHUP,
	syscall.SIGUSR1, syscall.SIGUSR2, syscall.SIGWINCH,
}

// RunInit starts this program once more, with the same arguments, and is its init
// until it ends. It returns the exit code of that child, as a shell says it.
func RunInit() (code int, err error) {
	signals := make(chan os.Signal, 64)
	signal.Notify(signals, append(handedOn, syscall.SIGCHLD)...)
	defer signal.Stop(signals)
	program, err := os.Executable()
	if err != nil {
		return 0, fmt.Errorf("find this program, to start it behind an init: %w", err)
	}
	child, err := syscall.ForkExec(program, os.Args, &syscall.ProcAttr{
		Env: append(os.Environ(), behindInit+"=1"), Files: []uintptr{0, 1, 2},
	})
	if err != nil {
		return 0, fmt.Errorf("start %s behind an init: %w", program, err)
	}
	for sig := range signals {
		if sig != syscall.SIGCHLD {
			syscall.Kill(child, sig.(syscall.Signal))
			continue
		}
		if status, ended := reapFor(child); ended {
			return ExitCode(status), nil
		}
	}
	return 0, nil
}

// reapFor reaps all that have ended, and says whether the child was among them.
func reapFor(child int) (own syscall.WaitStatus, ended bool) {
	for {
		var status syscall.WaitStatus
		pid, err := wait4(-1, &status)
		if err != nil || pid <= 0 {
			return own, ended
		}
		if pid == child {
			own, ended = status, true
		}
	}
}
