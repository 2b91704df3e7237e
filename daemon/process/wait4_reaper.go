package process

import (
	"context"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/reapcheck/reapcheck/daemon/faultpoint"
)

// wait4Reaper is the zombie reaper that many daemons have: on SIGCHLD it takes
// every child that has ended, whoever else may be waiting for it.
type wait4Reaper struct {
	signals chan os.Signal
	done    chan struct{}
	reaped  func(pid int, status syscall.WaitStatus)
}

// startWait4Reaper calls reaped for each child, one after the other.
func startWait4Reaper(reaped func(int, syscall.WaitStatus)) *wait4Reaper {
	r := &wait4Reaper{signals: make(chan os.Signal, 64), done: make(chan struct{}), reaped: reaped}
	signal.Notify(r.signals, syscall.SIGCHLD)
	go r.run()
	return r
}

func (r *wait4Reaper) run() {
	defer close(r.done)
	for range r.signals {
		r.reapAll()
	}
	r.reapAll()
}

func (r *wait4Reaper) reapAll() {
	for {
		faultpoint.Reach(faultpoint.BeforeReap, 0)
		var status syscall.WaitStatus
		pid, err := wait4(-1, &status)
		if err != nil || pid <= 0 {
			return
		}
		r.reaped(pid, status)
	}
}

func (r *wait4Reaper) close() {
	signal.Stop(r.signals)
	close(r.signals)
	<-r.done
}

// wait4 reaps pid, or any child if pid is -1, and returns 0 if there is none
// that has ended.
func wait4(pid int, status *syscall.WaitStatus) (int, error) {
	for {
		got, err := syscall.Wait4(pid, status, syscall.WNOHANG, nil)
		if err != syscall.EINTR {
			return got, err
		}
	}
}

func logReaped(log *slog.Logger, message string, pid int, status syscall.WaitStatus) {
	log.LogAttrs(context.Background(), slog.LevelInfo, message, slog.Int("pid", pid),
		slog.Int("status", ExitCode(status)))
}
