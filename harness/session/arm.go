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
	spec, err := a.prepared()
	if err != nil {
		return err
	}
	a.spec = spec
	if err := a.enter(ctx, spec); err != nil || a.Refusal != "" {
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
	if err := a.checkFront(ctx, spec.Front); err != nil {
		return err
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

// prepared is the sandbox that the arm asks for, its wait path and its fault included.
func (a *runningArm) prepared() (sandbox.Spec, error) {
	spec := a.asked()
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
	spec := a.target.Spec(a.scenario+"-"+a.Name, a.session.Daemons)
	if a.target.Ours() && !a.session.BlackBox {
		spec.FaultPointsBinary = a.session.Daemons[target.FaultPoints]
	}
	spec.StartLimit = a.session.Stretched(sandbox.DefaultStartLimit)
	spec.Await = speaker.Await(a.target)
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
