package session

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"github.com/reapcheck/reapcheck/harness/fault"
	"github.com/reapcheck/reapcheck/harness/probe"
	"github.com/reapcheck/reapcheck/harness/results"
	"github.com/reapcheck/reapcheck/harness/sandbox"
	"github.com/reapcheck/reapcheck/harness/speaker"
	"github.com/reapcheck/reapcheck/harness/target"
	"github.com/reapcheck/reapcheck/harness/trial"
)

// runningArm is an arm with its sandbox, its fault and its recording.
type runningArm struct {
	Arm
	session  *Session
	scenario string
	target   target.Target
	recorder *results.Recorder
	spec     sandbox.Spec    // that its sandbox was started for
	sandbox  sandbox.Sandbox // nil where the target did not start
	before   used            // its sandbox as it was before any trial
	injected fault.Injection // nil where nothing is injected
	speaker  speaker.Speaker // nil where the target did not start
	up       bool            // the trials may begin
	look     Look
	began    time.Time
	last     trial.End
	patience patience
	quickest quickest
	logs     results.LogKeeper // beside the first bad trials
	showing  showing
	bad      atomic.Bool // a trial was bad
	spoiled  atomic.Bool // the speaker does not work any more
	enough   func()      // ends the experiment, its verdict being certain
}

// beginArm starts the arm's recording first: what happens to a sandbox that
// does not come up is a result too.
func (s *Session) beginArm(ctx context.Context, e Experiment, a Arm, enough func()) (
	*runningArm, error) {
	arm := &runningArm{
		Arm: a, session: s, scenario: e.Scenario, target: s.targetOf(a), enough: enough,
	}
	path := results.Recording(s.Folder, e.Scenario, a.Name)
	var err error
	if arm.recorder, err = results.NewRecorder(path, arm.plan(e)); err != nil {
		return nil, err
	}
	arm.fitLimits()
	err = arm.start(ctx)
	if err != nil {
		arm.last.Error = err.Error()
	}
	return arm, unlessDeclined(err)
}

// plan is the first line of the arm's recording.
func (a *runningArm) plan(e Experiment) trial.Plan {
	plan := trial.Plan{
		Run:        filepath.Base(a.session.Folder),
		Scenario:   e.Scenario,
		Arm:        a.Name,
		Arms:       e.armNames(),
		Role:       a.Role,
		Strategy:   a.target.Strategy,
		Claim:      a.Claim,
		By:         a.By,
		Trials:     a.Trials,
		First:      a.part.first,
		Whole:      a.part.whole,
		UntilShown: a.UntilShown,
		AtLeast:    a.AtLeast,
		Spare:      a.spare(),
		Factor:     a.session.Scale.Factor,
		InFlight:   a.InFlight,
		Seed:       a.session.Seed,
		MinHits:    a.MinHits,
	}
	if a.Fault != nil {
		plan.Fault = a.Fault.Name()
	}
	return plan
}

// unlessDeclined takes a scenario that cannot be hosted here, or whose sandbox
// cannot be looked into, or not enough, for what it is: inconclusive, and no
// problem of the run.
func unlessDeclined(err error) error {
	if errors.Is(err, fault.ErrDeclined) || errors.Is(err, probe.ErrUnseen) ||
		errors.Is(err, ErrUndecided) {
		return nil
	}
	return err
}

func (a *runningArm) start(ctx context.Context) error {
	if a.Orders != nil {
		return errors.Join(a.sayable(), a.reachable()) // each search starts its own sandboxes
	}
	err := a.enterBehindFront(ctx)
	if err != nil || a.Refusal != "" {
		return err
	}
	if err := a.session.checkPath(a.sandbox); err != nil {
		return err
	}
	if a.Watch != nil {
		if a.look, err = a.Watch(ctx, a.sandbox, a.settles()); err != nil {
			return err
		}
	}
	if a.speaker, err = speaker.Open(ctx, a.target, a.sandbox, a.InFlight); err != nil {
		return err
	}
	if err := a.inject(ctx); err != nil {
		return err
	}
	a.up, a.began = true, time.Now()
	return nil
}

// prepared is the sandbox that the arm asks for at that try, from 1, its wait path and its
// fault included.
func (a *runningArm) prepared(try int) (sandbox.Spec, error) {
	spec := a.asked()
	if try > 1 {
		spec.Name = fmt.Sprintf("%s-%d", spec.Name, try) // a front is for one start
	}
	if err := errors.Join(a.sayable(), a.reachable()); err != nil {
		return spec, err
	}
	if err := a.session.layPath(&spec); err != nil || a.Fault == nil {
		return spec, err
	}
	return spec, a.Fault.Prepare(&spec)
}

// enter starts the sandbox in its turn. Of a target that is to refuse that is all.
func (a *runningArm) enter(ctx context.Context, spec sandbox.Spec) error {
	free, err := a.session.startSlot(ctx)
	if err != nil {
		return err
	}
	began := time.Now()
	sb, err := a.obtain(ctx, spec)
	free()
	if a.Refusal != "" && (err == nil || errors.Is(err, sandbox.ErrTarget)) {
		a.refused(sb, err)
		return nil
	}
	if err != nil {
		return fmt.Errorf("start %s%s: %w", spec.Name, behind(spec.Front), err)
	}
	a.sandbox = sb
	a.last.StartMicros = time.Since(began).Microseconds()
	return nil
}

// behind says what may keep a target from starting that starts without a front.
func behind(front sandbox.Front) string {
	if front.Program == "" {
		return ""
	}
	return " behind the launcher, where no target can listen to system calls " +
		"by a seccomp filter of its own"
}

// obtain takes a sandbox that another arm has left clean, or starts one.
func (a *runningArm) obtain(ctx context.Context, spec sandbox.Spec) (sandbox.Sandbox, error) {
	if a.shares() {
		if a.before = a.session.shelf.take(spec); a.before.Sandbox != nil {
			return a.before.Sandbox, nil
		}
	}
	sb, err := a.launch(ctx, spec)
	if err == nil && a.shares() && a.session.shelf != nil {
		a.before = populate(sb)
	}
	return sb, err
}

// asked is the sandbox that the arm's target asks for.
func (a *runningArm) asked() sandbox.Spec {
	spec := speaker.Spec(a.target, a.scenario+"-"+a.Name, a.session.Daemons)
	if a.target.Ours() && !a.session.BlackBox {
		spec.FaultPointsBinary = a.session.Daemons[target.FaultPoints]
	}
	spec.StartLimit = a.session.Stretched(sandbox.DefaultStartLimit)
	spec.Temp = a.Temp
	maps.Copy(spec.Env, a.Env)
	return spec
}

// refused checks a target that must not start, by what it did and not by what
// kept the sandbox from starting it.
func (a *runningArm) refused(sb sandbox.Sandbox, err error) {
	a.sandbox = sb
	check := trial.Check{Name: "refusal to start", Want: a.Refusal, Got: "started"}
	if err != nil {
		check.Got = err.Error()
		check.OK = errors.Is(err, sandbox.ErrTarget) && strings.Contains(check.Got, a.Refusal)
	}
	a.recorder.Write(trial.Line{Check: &check})
}

// teardownLimit bounds each of the last steps of an arm: to undo its fault, to look
// at its target, and to stop that. An interrupt cuts none of them, or a sandbox
// would be left behind.
const teardownLimit = 30 * time.Second

// end closes the recording and takes the sandbox down, whatever ctx says.
func (a *runningArm) end(ctx context.Context) error {
	if cause := context.Cause(ctx); errors.Is(cause, errEnough) {
		a.last.Stopped = errEnough.Error()
	} else if cause != nil {
		a.last.Stopped = "interrupted"
	}
	ctx = context.WithoutCancel(ctx)
	var err error
	if a.up {
		pathErr := a.session.checkPath(a.sandbox) // a hold that is undone begins to count anew
		err = a.lookBack(ctx)
		if lost := sandbox.Lost(a.sandbox); lost != nil {
			a.last.Void = lost.Error()
		}
		if why := a.problem(ctx, 0); why != nil {
			a.last.Void = why.Error()
		}
		if pathErr != nil && err == nil {
			a.last.Error = pathErr.Error()
		}
		a.last.ShownBy = a.showing.shownBy()
	}
	if why := a.cutShort(); why != "" {
		if a.last.Error, a.last.GivenUp = why, a.tooManyHung(); a.last.GivenUp {
			a.session.armsHung.Add(1)
		}
	}
	if err != nil && a.last.Error == "" {
		a.last.Error = err.Error()
	}
	a.recorder.End(a.last)
	if a.speaker != nil {
		err = errors.Join(err, a.speaker.Close())
	}
	err = errors.Join(err, a.recorder.Close())
	return errors.Join(err, a.stop(ctx))
}

// stop leaves a clean sandbox to the next arm that can use it. One whose candidate was
// wrong is not left: what the next arm finds must be its own.
func (a *runningArm) stop(ctx context.Context) error {
	if a.sandbox == nil {
		return nil
	}
	sound := a.last.Error == "" && a.last.Stopped == "" && a.last.Void == "" &&
		a.last.FaultNote == ""
	if sound && !(a.bad.Load() && a.Role == trial.Candidate) &&
		a.session.shelf.put(ctx, a.spec, a.before, a.session.worthWaiting()) {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, a.session.Patience(teardownLimit))
	defer cancel()
	return a.sandbox.Stop(ctx)
}

// lookBack asks the fault for its hits and the sandbox for its state. Trials
// that were cut short leave a sandbox of which nothing was promised.
func (a *runningArm) lookBack(ctx context.Context) error {
	a.settleShown(ctx)
	err, stuck := a.withdraw(ctx)
	wait := time.Duration(0)
	if stuck != nil {
		wait = a.session.Patience(endLimit) // the target's end may be why, and is the finding then
	}
	if !a.running(ctx, wait) {
		return nil
	}
	if stuck != nil {
		a.last.FaultNote = stuck.Error()
		return errors.Join(err, stuck)
	}
	if a.last.Stopped != "" {
		return err
	}
	return errors.Join(err, a.lookAtLast(ctx))
}

// lookAtLast looks at a target that runs, and that nothing is done to any more.
func (a *runningArm) lookAtLast(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, a.session.Patience(teardownLimit))
	defer cancel()
	a.checkHealth(ctx)
	a.checkAnswers(ctx)
	a.checkPrompt()
	if a.look == nil {
		return nil
	}
	checks, lookErr := a.look(ctx)
	for i := range checks {
		a.recorder.Write(trial.Line{Check: &checks[i]})
	}
	// The end of PID 1 shows in /proc before the sandbox says so, whose log is read to
	// its end first. A look that found too little may have come then.
	if (probe.Gone(lookErr) || errors.Is(lookErr, ErrUndecided)) &&
		!a.running(ctx, a.session.Patience(endLimit)) {
		return nil
	}
	if lookErr != nil {
		a.last.Error = lookErr.Error()
	}
	return unlessDeclined(lookErr)
}
