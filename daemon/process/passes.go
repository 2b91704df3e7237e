package process

import (
	"os"
	"os/signal"
	"syscall"
	"time"
)

// passes calls a function for each SIGCHLD, never twice at a time: the loop that the
// reapers of the field have in common.
type passes struct {
	signals    chan os.Signal
	stop, done chan struct{}
}

// startPasses also calls pass after each rest without a signal; zero is none.
func startPasses(pass func(), rest time.Duration) *passes {
	p := &passes{
		signals: make(chan os.Signal, 1), stop: make(chan struct{}), done: make(chan struct{}),
	}
	signal.Notify(p.signals, syscall.SIGCHLD)
	go p.run(pass, rest)
	return p
}

func (p *passes) run(pass func(), rest time.Duration) {
	defer close(p.done)
	var again <-chan time.Time
	if rest > 0 {
		ticker := time.NewTicker(rest)
		defer ticker.Stop()
		again = ticker.C
	}
	for {
		select {
		case <-p.signals:
		case <-again:
		case <-p.stop:
			pass()
			return
		}
		pass()
	}
}

// close makes a last pass.
func (p *passes) close() {
	signal.Stop(p.signals)
	close(p.stop)
	<-p.done
}
