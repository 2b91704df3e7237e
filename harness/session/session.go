// Package session runs experiments: it starts one sandbox per arm, injects the
// fault, puts the arms through their trials in turn, and leaves recordings
// from which package trial draws the finding.
//
// Session.Run is the front door. It returns an error where it could not do its
// own work; what the target did wrong is in the Finding.
package session

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/reapcheck/reapcheck/harness/fault"
	"github.com/reapcheck/reapcheck/harness/fault/seccomp"
	"github.com/reapcheck/reapcheck/harness/load"
	"github.com/reapcheck/reapcheck/harness/parallel"
	"github.com/reapcheck/reapcheck/harness/results"
	"github.com/reapcheck/reapcheck/harness/sandbox"
	"github.com/reapcheck/reapcheck/harness/shard"
	"github.com/reapcheck/reapcheck/harness/target"
	"github.com/reapcheck/reapcheck/harness/trial"
)

// Session is what all experiments of one run share.
type Session struct {
	Runtime sandbox.Runtime
	// Folder is the run's result folder.
	Folder string
	Seed   uint64
	Scale  Scale
	// Info says what fails: by its level, and what the dialect declares. The zero Info
	// lets all fail.
	Info results.Info
	// Daemons are the paths of the reference daemon's builds.
	Daemons map[target.Build]string
	// Candidate is what all candidate arms run.
	Candidate target.Target
	// IgnoresInput is what CheckDialect found: the candidate took a command whose input
	// the dialect can give, and nothing of that came back.
	IgnoresInput bool
	// Uncontested is what Spared found. The candidate's waiters are not held if it is so.
	Uncontested Uncontested
	// Hub receives the launchers; nil where no target gets one.
	Hub *seccomp.Hub
	// BlackBox runs ordinary builds only: all faults come from outside.
	BlackBox bool
	// WaitPath is for all arms.
	WaitPath WaitPath
	// StopAtFirstBad ends an experiment at the first bad trial of a candidate
	// arm that is to be clean: the verdict is fail from then on.
	StopAtFirstBad bool
	// Parts say which part of a scenario this shard of a plan has, by its ID. One that is
	// not there is whole.
	Parts map[string]shard.Place
	// StopAs lets only a trial with this symptom do that; empty is any.
	StopAs   trial.Symptom
	Progress *Progress
	// Pace is how fast the machine is: Measure finds it out.
	Pace Pace

	// armsHung counts the candidate's arms that were given up since it hung.
	armsHung atomic.Int32

	shelf    *shelf // nil outside of RunAll
	mu       sync.Mutex
	problems []error
	// starting has a place for each sandbox that is being started.
	starting chan struct{}
}

// Feeds says whether the candidate's commands can be given an input, as far as is known.
func (s *Session) Feeds() bool { return s.Candidate.Dialect.SaysInput() && !s.IgnoresInput }

// Problem is what kept the session from doing its own work; nil if nothing
// did. An interrupt is named where there was nothing else.
func (s *Session) Problem() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return genuine(s.problems...)
}

// genuine joins the errors that are not of an end from outside, or that was certain:
// whoever looks for one of those in a joined error would drop the others with it.
// Where there is nothing else it joins them all.
func genuine(errs ...error) error {
	others := slices.DeleteFunc(slices.Clone(errs), func(err error) bool {
		return errors.Is(err, context.Canceled) || errors.Is(err, errEnough)
	})
	if err := errors.Join(others...); err != nil {
		return err
	}
	return errors.Join(errs...)
}

func (s *Session) noteProblem(err error) {
	if err == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.problems = append(s.problems, err)
}

// Experiment is one scenario, ready to run.
type Experiment struct {
	// Scenario is the scenario's ID.
	Scenario string
	Arms     []Arm
	// SideBySide runs the arms at the same time instead of in turn: for arms
	// that mostly wait.
	SideBySide bool
	// Busy keeps the CPUs busy: few of its kind run at a time. Others mostly wait.
	Busy bool
	// Divides is the least number of trials that an arm has in a part of the experiment,
	// where shards may have one each: its trials prove as much on several machines as on
	// one, and each machine's baseline has enough of them to show its claim. Zero keeps
	// the experiment whole, as a check needs that looks at a sandbox before and after.
	Divides int
	// Turns is how often the arms take turns; zero means DefaultTurns.
	Turns int
	// Prepare finds out what the commands need to know, before the first arm begins; nil
	// where that is nothing. Its error is the session's.
	Prepare func(context.Context) error
}

func (e Experiment) armNames() []string {
	names := make([]string, len(e.Arms))
	for i, arm := range e.Arms {
		names[i] = arm.Name
	}
	return names
}

// Arm is one side of a scenario.
type Arm struct {
	Name  string
	Role  trial.Role
	Claim trial.Claim
	// By are all the symptoms that an arm which must misbehave has to show.
	By []trial.Symptom
	// Build and Strategy choose what a baseline arm runs; the others run the
	// session's candidate.
	Build    target.Build
	Strategy string
	// Env is added to the target's own.
	Env map[string]string
	// Temp is what the sandbox has for temporary files, as sandbox.Spec says.
	Temp int64
	// Fault is injected once the target is ready; nil for none.
	Fault fault.Fault
	// MinHits is how often the fault must hit; zero means once.
	MinHits int64
	// Trials is fixed here, before the first one begins.
	Trials   int
	part     part // of which they are, where a shard has one
	InFlight int
	// UntilShown leaves out what is left of Trials when one of them has shown the
	// claim, and the fault has hit in that one. It is for a baseline in which two race
	// and no one decides who wins: how often it loses is the machine's affair, and
	// that it can is what counts. AtLeast so many trials are done in any case.
	UntilShown bool
	AtLeast    int
	// Round groups arms that take turns; the rounds follow each other, lowest first. An
	// arm of a later round can go on in the sandbox of one that is over.
	Round int
	// Fresh wants a sandbox in which no other arm has run, and Used takes one although
	// it watches: what it counts is the same there.
	Fresh, Used bool
	// Work is how many plain commands one trial costs, and Wait how long it lasts
	// beside that, as with a sleep. They tell how long a run will take, and the limit of
	// a baseline's answer grows without Wait on a slow machine. Zero means 1, and nothing.
	Work float64
	Wait time.Duration
	// Bursts sends InFlight requests at once and the next ones only when all of
	// them are answered.
	Bursts   bool
	Commands load.Source
	// Orders makes each trial one order in which events reach the target, instead of a
	// command under a fault. Trials is then the most, in equal parts. Walks of each part
	// are random walks, where the search does not try every order.
	Orders []Order
	Walks  int
	// ByOutput says that the promise is about what commands write: a target whose
	// dialect cannot tell is not judged.
	ByOutput bool
	// ByInput says that the promise is about what commands read: a target whose dialect
	// cannot give them an input is not judged.
	ByInput bool
	// Deadline bounds each answer; zero means DefaultDeadline.
	Deadline time.Duration
	// Prompt bounds the quickest right answer to each kind of command; zero means no
	// bound. A machine that stands still for a second delays many answers, and hardly
	// all of them.
	Prompt time.Duration
	// Refusal is a text that the target's last words must hold when it refuses
	// to start. Where it is set, starting is what misbehaves.
	Refusal string
	// Ends says how PID 1 must have ended when all trials have; empty where it
	// must still run.
	Ends string
	// EndWithin is how long that may take after the last answer; zero means 5 s.
	EndWithin time.Duration
	Watch     Watch
	// SeenTwice says of failed checks that they count only if they fail once more after as
	// many trials again, held against what there was before these. nil says so of none, and
	// what a baseline shows counts at once.
	SeenTwice func(failed []trial.Check) bool
	// EndTwice has all trials again, in another sandbox, where a candidate's target has ended
	// and was not to: what the kernel does to a sound one, once in a hundred times, counts only
	// if it comes again. The first recording then has a name that ends in .first.
	EndTwice bool
}

// Watch looks at a sandbox before the first trial; what it returns looks again after
// the last. What is promised may take as long as within to come true.
type Watch func(ctx context.Context, sb sandbox.Sandbox, within time.Duration) (Look, error)

// settleLimit is how long a sandbox may take to come to rest after the last answer: far
// more than a reaper needs on a fast machine, far less than a person would wait.
const settleLimit = 3 * time.Second

// baselineSettles is as long for a baseline. One that leaves something behind does so for
// good: there is nothing to be patient for.
const baselineSettles = time.Second

// settles is that limit for this arm.
func (a *runningArm) settles() time.Duration {
	if a.Role == trial.Baseline {
		return baselineSettles
	}
	return a.session.Patience(settleLimit)
}

// Look compares a sandbox with what was promised. Its error means that it could
// not look. What it can say all the same it returns too.
type Look func(ctx context.Context) ([]trial.Check, error)

// ErrUndecided is what a Look returns that has seen too little to say anything.
// Its arm then proves nothing; the session has done its work.
var ErrUndecided = errors.New("too little was seen")

// DefaultDeadline is far above what any command here takes: a trial that
// passes it hangs.
const DefaultDeadline = 15 * time.Second

// Finding is what an experiment came to.
type Finding struct {
	Verdict trial.Verdict
	Reason  string
	Arms    []trial.Summary
}

// Arm returns the summary of the arm with that name; the zero Summary if there
// is none.
func (f Finding) Arm(name string) trial.Summary {
	for _, arm := range f.Arms {
		if arm.Plan.Arm == name {
			return arm
		}
	}
	return trial.Summary{}
}

// DefaultTurns is often enough for noise that comes and goes on the machine to
// meet all arms.
const DefaultTurns = 8

// errEnough ends the trials of an experiment whose verdict is certain.
var errEnough = errors.New("stopped at the first bad trial of a candidate")

// Run does the experiment and judges its recordings.
func (s *Session) Run(ctx context.Context, e Experiment) (Finding, error) {
	began := s.Progress.Begin(e)
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var err error
	if e.Prepare != nil {
		err = e.Prepare(ctx)
	}
	for _, round := range e.rounds() {
		if err != nil {
			break
		}
		err = s.round(ctx, e, round, func() { stop(errEnough) })
	}
	if err == nil {
		err = s.afresh(ctx, e, func() { stop(errEnough) })
	}
	if errors.Is(err, errEnough) {
		err = nil
	}
	finding, readErr := s.judge(e)
	s.Progress.End(e, finding, began)
	err = genuine(err, readErr)
	s.noteProblem(err)
	return finding, err
}

// round begins the arms of one round, puts them through their trials, and ends them.
func (s *Session) round(ctx context.Context, e Experiment, arms []Arm, enough func()) error {
	running, err := s.begin(ctx, e, arms, enough)
	if err == nil {
		err = takeTurns(ctx, running, e)
	}
	return genuine(err, s.end(ctx, running))
}

// rounds are the arms of each round, in the order of the rounds.
func (e Experiment) rounds() [][]Arm {
	var all [][]Arm
	sorted := slices.SortedStableFunc(slices.Values(e.Arms),
		func(a, b Arm) int { return a.Round - b.Round })
	for i, arm := range sorted {
		if i == 0 || arm.Round != sorted[i-1].Round {
			all = append(all, nil)
		}
		all[len(all)-1] = append(all[len(all)-1], arm)
	}
	return all
}

// begin brings up the arms. Those that came up are returned on error too, for end to
// take down. An arm calls enough when the verdict is certain.
func (s *Session) begin(ctx context.Context, e Experiment, all []Arm,
	enough func()) ([]*runningArm, error) {
	arms := make([]*runningArm, len(all))
	errs := make([]error, len(all))
	_, err := parallel.Do(ctx, 0, len(all), s.Runtime.Traits().StartsAtOnce, func(i int) {
		arms[i], errs[i] = s.beginArm(ctx, e, all[i], enough)
	})
	return arms, genuine(append(errs, err)...)
}

// takeTurns gives every arm its share of trials in each turn.
func takeTurns(ctx context.Context, arms []*runningArm, e Experiment) error {
	if e.SideBySide {
		errs := make([]error, len(arms))
		_, err := parallel.Do(ctx, 0, len(arms), len(arms),
			func(i int) { errs[i] = arms[i].trials(ctx, 0, 1) })
		return genuine(append(errs, err)...)
	}
	turns := cmp.Or(e.Turns, DefaultTurns)
	for turn := range turns {
		for _, arm := range arms {
			if err := arm.trials(ctx, turn, turns); err != nil {
				return err
			}
		}
	}
	return nil
}

// end takes all arms down, also when ctx is done.
func (s *Session) end(ctx context.Context, arms []*runningArm) error {
	errs := make([]error, len(arms))
	var ending sync.WaitGroup
	for i, arm := range arms {
		if arm != nil {
			ending.Go(func() { errs[i] = arm.end(ctx) })
		}
	}
	ending.Wait()
	return errors.Join(errs...)
}

// judge reads the recordings back: the finding rests on what is on disk.
func (s *Session) judge(e Experiment) (Finding, error) {
	var f Finding
	for _, arm := range e.Arms {
		summary, err := readRecording(results.Recording(s.Folder, e.Scenario, arm.Name), arm)
		if err != nil {
			return Finding{}, err
		}
		f.Arms = append(f.Arms, summary)
	}
	f.Verdict, f.Reason = s.Info.JudgeArms(e.Scenario, f.Arms)
	return f, nil
}

// readRecording counts one recording. One that is not there, since the run was
// cut before its arm began, is a recording without an end.
func readRecording(path string, a Arm) (trial.Summary, error) {
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return trial.Summary{Plan: trial.Plan{Arm: a.Name, Role: a.Role, Trials: a.Trials}}, nil
	}
	if err != nil {
		return trial.Summary{}, fmt.Errorf("read recording: %w", err)
	}
	defer file.Close()
	return trial.Read(file)
}
