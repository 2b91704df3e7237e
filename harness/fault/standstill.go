package fault

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"syscall"
	"time"

	"github.com/reapcheck/reapcheck/harness/await"
	"github.com/reapcheck/reapcheck/harness/probe"
	"github.com/reapcheck/reapcheck/harness/sandbox"
)

// Standstill stops PID 1 alone while commands end, so that it finds them all at once
// and one signal tells of them (signal(7): what is pending is not queued twice).
//
// It waits until Commands of the commands sleep, as load.UntilWoken does, stops PID 1,
// ends their sleeps, waits until as many have ended, and lets PID 1 go on; again and
// again. A hit is a standstill in which all of them ended.
type Standstill struct{ Commands int }

// Name says what happens.
func (s Standstill) Name() string {
	return fmt.Sprintf("stopped while %d commands end",
		s.Commands)
}

// Prepare asks for nothing: any sandbox takes signals.
func (Standstill) Prepare(*sandbox.Spec) error { return nil }

// Inject begins to watch for the commands.
func (s Standstill) Inject(ctx context.Context, sb sandbox.Sandbox) (Injection, error) {
	if sb.PID() == 0 {
		return nil, fmt.Errorf("%w: the target's process cannot be seen", ErrDeclined)
	}
	still := &standing{Standstill: s, sandbox: sb}
	ctx, still.stop = context.WithCancel(context.WithoutCancel(ctx))
	still.watching.Go(func() {
		for ctx.Err() == nil && still.once(ctx) {
		}
	})
	return still, nil
}

type standing struct {
	Standstill
	sandbox  sandbox.Sandbox
	stop     context.CancelFunc
	watching sync.WaitGroup

	count
}

// once waits for one set of commands, and returns false when there will be no more.
func (s *standing) once(ctx context.Context) bool {
	asleep, err := s.await(ctx, "sleeps", time.Hour, s.sleeping)
	if err != nil {
		return false
	}
	if err := s.still(ctx, asleep); err != nil && !over(ctx, s.sandbox.Done()) {
		s.fail(err)
	}
	return ctx.Err() == nil
}

// still stops PID 1 while the commands end.
func (s *standing) still(ctx context.Context, asleep probe.Snapshot) (err error) {
	if err := s.sandbox.Signal(ctx, syscall.SIGSTOP); err != nil {
		return err
	}
	defer func() {
		err = errors.Join(err, s.sandbox.Signal(context.WithoutCancel(ctx), syscall.SIGCONT))
	}()
	if err := Terminate(asleep); err != nil {
		return err
	}
	if _, err := s.await(ctx, "ended commands", await.Broken, probe.Snapshot.Zombies); err != nil {
		return err
	}
	s.hit()
	return nil
}

func (s *standing) sleeping(seen probe.Snapshot) (asleep probe.Snapshot) {
	for _, p := range seen {
		if p.Name == "sleep" && !p.Zombie() {
			asleep = append(asleep, p)
		}
	}
	return asleep
}

// await looks until there are as many of a kind as there are commands.
func (s *standing) await(ctx context.Context, what string, limit time.Duration,
	of func(probe.Snapshot) probe.Snapshot) (found probe.Snapshot, err error) {
	enough := await.Wait{
		For:     fmt.Sprint(s.Commands, " ", what),
		Every:   5 * time.Millisecond,
		Slowest: 50 * time.Millisecond,
		Limit:   limit,
		Over:    s.sandbox.Done(),
	}
	err = enough.Until(ctx, func() (any, bool, error) {
		seen, err := probe.Look(s.sandbox.PID())
		found = of(seen)
		return len(found), len(found) >= s.Commands, err
	})
	return found, err
}

// Undo lets PID 1 go on, if it stands.
func (s *standing) Undo(context.Context) error {
	s.stop()
	s.watching.Wait()
	return nil
}
