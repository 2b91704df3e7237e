package session

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/reapcheck/reapcheck/harness/await"
	"github.com/reapcheck/reapcheck/harness/fault"
	"github.com/reapcheck/reapcheck/harness/load"
	"github.com/reapcheck/reapcheck/harness/sandbox"
	"github.com/reapcheck/reapcheck/harness/speaker"
	"github.com/reapcheck/reapcheck/harness/trial"
)

// knownCommands are tried behind a front: one that is right shows that commands run
// there, and a daemon that races loses no five in a row. They exit with firstKnown and
// the codes after it, with which no helper, shell or launcher says that it failed.
const (
	knownCommands = 5
	firstKnown    = 40
)

// frontTries is how often a target is started behind a front, if it ends at known commands.
const frontTries = 3

// enterBehindFront starts the arm's target, and declines one that does not run commands
// behind the launcher, while nothing is held: one that runs them by sudo, which
// no_new_privs takes the effect from, answers with sudo's code, and that is not the
// target's doing. A target of ours has no such helper.
//
// One that races may end at a known command. It is started afresh, as its trials are to
// show that; only one that ends each time may do so for the launcher's sake.
func (a *runningArm) enterBehindFront(ctx context.Context) error {
	for try := 1; ; try++ {
		spec, err := a.prepared(try)
		if err != nil {
			return err
		}
		a.spec = spec
		err = a.enter(ctx, spec)
		if err != nil || a.Refusal != "" || spec.Front.Program == "" || a.target.Ours() {
			return err
		}
		last, right, err := a.runsKnown(ctx, a.sandbox)
		wait := time.Duration(0)
		if !right { // its end may not be known yet
			wait = a.session.Patience(time.Second)
		}
		ended := a.endedWithin(ctx, wait)
		switch {
		case err != nil || right && !ended:
			return err
		case !ended, try == frontTries && !right:
			return a.declineFront(ctx, last)
		case try == frontTries:
			return nil
		}
		if err := a.sandbox.Stop(ctx); err != nil {
			return err
		}
	}
}

// declineFront declines a target that ran no known command right behind the launcher, if
// it does without.
func (a *runningArm) declineFront(ctx context.Context, last string) error {
	alone, err := a.runsKnownAlone(ctx)
	if err != nil || !alone {
		return err // what it does wrong anywhere is for the trials to say
	}
	return fmt.Errorf(
		"%w: behind the launcher this target ran none of %d known commands right, "+
			"with nothing held, and without the launcher it does: a helper such as sudo, "+
			"which no_new_privs takes the effect from, may stand between them; the last: %s",
		fault.ErrDeclined, knownCommands, last)
}

// runsKnownAlone says whether the target runs a known command without a front.
func (a *runningArm) runsKnownAlone(ctx context.Context) (right bool, err error) {
	spec := a.spec
	spec.Name, spec.Front = spec.Name+"-alone", sandbox.Front{}
	sb, err := a.launch(ctx, spec)
	if err != nil {
		return false, fmt.Errorf("start %s: %w", spec.Name, err)
	}
	_, right, err = a.runsKnown(ctx, sb)
	return right, errors.Join(err, sb.Stop(context.WithoutCancel(ctx)))
}

// runsKnown says whether a target runs one of some known commands right, and what was
// wrong with the last of them.
func (a *runningArm) runsKnown(ctx context.Context, sb sandbox.Sandbox) (last string, right bool,
	err error) {
	asking, err := speaker.Open(ctx, a.target, sb, 1)
	if err != nil {
		return "", false, err
	}
	defer asking.Close()
	for i := range knownCommands {
		outcome, detail := a.ask(ctx, asking, i)
		if err := asking.Problem(); err != nil {
			return "", false, err
		}
		switch outcome {
		case trial.Wrong, trial.Error, trial.Output:
		default:
			return "", true, nil
		}
		last = detail
	}
	return last, false, nil
}

// ask tries a command that is no trial.
func (a *runningArm) ask(ctx context.Context, to speaker.Speaker,
	index int) (trial.Outcome, string) {
	ctx, cancel := await.Limit(ctx, a.session.Patience(DefaultDeadline))
	defer cancel()
	cmd := load.EveryCode(firstKnown+index, load.Random(a.session.Seed, "known", index))
	return trial.Classify(a.target.Dialect.Want(cmd.Want), to.Execute(ctx, cmd.Request))
}

// Told says in words why nobody can tell the candidate late that its command has begun:
// no pipe tells it, since it waits for none or starts commands by vfork(2). It is empty
// where a pipe does, or may.
func (s *Session) Told(ctx context.Context) (why string, err error) {
	return s.tryUnder(ctx, "told", fault.LateReturn{Call: fault.Read}, 1,
		func(_ sandbox.Sandbox, injected fault.Injection) string {
			if hits, note, _ := injected.Hits(ctx); hits > 0 || note != "" {
				return ""
			}
			return "since no pipe tells the target that a command has begun, so nobody can tell it late"
		})
}

// tryUnder has the candidate run known commands under a fault, and then says what the fault
// shows of it. It says nothing where that cannot be tried, or goes wrong: the trials come to
// that as well, and what keeps the candidate from starting is for them to say.
func (s *Session) tryUnder(ctx context.Context, name string, f fault.Fault, times int,
	shows func(sandbox.Sandbox, fault.Injection) string) (what string, err error) {
	a := s.asCandidate(name)
	a.Fault = f
	spec, err := a.prepared(1)
	if err != nil {
		return "", unlessDeclined(err)
	}
	sb, err := a.launch(ctx, spec)
	if err != nil {
		return "", nil
	}
	defer func() { err = errors.Join(err, sb.Stop(context.WithoutCancel(ctx))) }()
	injected, err := f.Inject(ctx, sb)
	if err != nil {
		return "", unlessDeclined(err)
	}
	for range times {
		_, right, err := a.runsKnown(ctx, sb)
		if ctx.Err() != nil {
			return "", context.Cause(ctx)
		}
		if err != nil || !right {
			return "", nil
		}
	}
	return shows(sb, injected), nil
}
