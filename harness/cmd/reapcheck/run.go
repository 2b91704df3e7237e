package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strconv"
	"time"

	"golang.org/x/term"

	"github.com/reapcheck/reapcheck/harness/machine"
	"github.com/reapcheck/reapcheck/harness/printable"
	"github.com/reapcheck/reapcheck/harness/probe"
	"github.com/reapcheck/reapcheck/harness/report"
	"github.com/reapcheck/reapcheck/harness/results"
	"github.com/reapcheck/reapcheck/harness/sandbox"
	"github.com/reapcheck/reapcheck/harness/session"
	"github.com/reapcheck/reapcheck/harness/shard"
	"github.com/reapcheck/reapcheck/harness/target"
	"github.com/reapcheck/reapcheck/harness/trial"
	"github.com/reapcheck/reapcheck/scenarios"
)

// options is what a run needs to know.
type options struct {
	scale     session.Scale
	runtime   string       // that was wished for, and then that was chosen
	kind      machine.Kind // set once it is
	candidate target.Target
	blackBox  bool
	waitPath  session.WaitPath
	scenarios []trial.Scenario
	// shard is which part of the run this is; the zero Place is all of it.
	shard shard.Place
	// resume is the folder of a cut run that is to be completed; empty for none.
	resume string
	seed   uint64
	// pace is known where another process has measured it; zero means measure.
	pace         session.Pace
	results      string
	daemons      string
	baseImage    string
	cgroupParent string
	argv         []string // the command line that repeats the run from the same folder
	settings     []results.Setting
	waivers      []results.Waiver
	// level is the lightest that fails.
	level trial.Level
	// checkDialect makes sure that the candidate speaks its dialect.
	checkDialect bool
	// detects looks for its dialect where none was named and the default does not fit.
	detects bool
	// leftOut are the other scenarios, which are not run.
	leftOut []results.LeftOut
	// stopAtFirstBad is session.Session's.
	stopAtFirstBad bool
	stopAs         trial.Symptom
	// asAsked keeps a bench as long as its flags say.
	asAsked  bool
	out      io.Writer
	progress io.Writer
}

// run makes a result folder, fills it, and reports from it. Once the folder is
// there every way out leaves a verdict in it.
func (o options) run(ctx context.Context) error {
	progress := session.NewProgress(o.progress, isTerminal(o.progress))
	why, problem := o.chooseRuntime(ctx)
	if errors.Is(problem, machine.ErrChoice) {
		return usage(problem)
	}
	id := strconv.FormatUint(o.seed%(36*36*36*36), 36)
	info, err := o.describe()
	if err != nil {
		return o.unreported(err)
	}
	if done := o.doneBefore(info); problem == nil && done != "" {
		progress.Say("shard %v of this plan is done already", o.shard)
		return o.again(done)
	}
	folder, err := o.place(id, &info)
	if err != nil {
		return o.unreported(err)
	}
	if problem == nil {
		for _, note := range info.Notes() {
			progress.Say("%s", note)
		}
		progress.Say("runtime %s%s, tier %s, seed %d", o.runtime, why, o.scale.Tier, o.seed)
		problem = o.try(ctx, folder, id, &info, progress)
	}
	if ctx.Err() != nil {
		problem = interrupted(problem)
	}
	if problem != nil {
		info.Problem = problem.Error()
	} else if info.Shard != nil {
		info.Shard.Done = true
	}
	return o.conclude(folder, info, problem)
}

// try does everything that may fail for reasons that are not the target's.
func (o options) try(ctx context.Context, folder, id string, info *results.Info,
	progress *session.Progress) (err error) {
	daemons, err := o.findDaemons(ctx)
	if err != nil {
		return err
	}
	hub, rt, takeDown, err := o.bringUp(ctx, id, daemons, progress)
	defer func() { err = errors.Join(err, takeDown()) }()
	if err != nil {
		return err
	}
	info.Runtime, info.About = rt.Name(), rt.Describe()
	if err := results.WriteInfo(folder, *info); err != nil {
		return err
	}
	log, err := os.Create(results.SuiteLog(folder))
	if err != nil {
		return fmt.Errorf("create log of the suite: %w", err)
	}
	defer log.Close()
	s := o.session(folder, *info, progress)
	s.Runtime, s.Daemons, s.Hub = rt, daemons, hub
	if err := o.adapt(ctx, s, info); err != nil {
		return err
	}
	if err := results.WriteInfo(folder, *info); err != nil {
		return err
	}
	left, err := o.undecided(folder, info.Scenarios)
	if err != nil || len(left) == 0 {
		return err
	}
	scenarios.Run(ctx, s, left, log)
	return s.Problem()
}

// session is that of this run, before the runtime and the daemons are known.
func (o options) session(folder string, info results.Info,
	progress *session.Progress) *session.Session {
	return &session.Session{
		Folder:         folder,
		Info:           info,
		Seed:           o.seed,
		Scale:          o.scale,
		Candidate:      o.candidate,
		StopAtFirstBad: o.stopAtFirstBad,
		StopAs:         o.stopAs,
		Progress:       progress,
		BlackBox:       o.blackBox,
		WaitPath:       o.waitPath,
	}
}

// adapt fits the run to the target and to the machine, in the order in which each can be
// asked: what the target's dialect can say, whether it speaks it, what can be seen of it,
// and how fast it is here.
func (o *options) adapt(ctx context.Context, s *session.Session, info *results.Info) error {
	if err := o.leaveOutUnsaid(s, info); err != nil {
		return err
	}
	if o.checkDialect {
		if err := o.fitsDialect(ctx, s); err != nil {
			return err
		}
		if err := o.leaveOutUnfed(s, info); err != nil {
			return err
		}
	}
	if err := o.leaveOutMoot(ctx, s, info); err != nil {
		return err
	}
	return o.fit(ctx, s, info)
}

func (o options) describe() (results.Info, error) {
	info := results.Info{
		Version:   versionText(),
		Seed:      o.seed,
		Tier:      string(o.scale.Tier),
		Runtime:   o.runtime,
		Target:    o.targetText(),
		Kernel:    probe.Kernel(),
		CPUs:      runtime.NumCPU(),
		Argv:      o.argv,
		Settings:  o.settings,
		Level:     o.level,
		Declares:  o.candidate.Dialect.Declares,
		Waivers:   o.waivers,
		Started:   time.Now().UTC(),
		Scenarios: o.scenarios,
		LeftOut:   o.leftOut,
	}
	if !o.shard.Whole() {
		info.Shard = &results.Shard{Number: o.shard.Number, Of: o.shard.Of}
		info.Factor = o.scale.Factor
	}
	var err error
	info.TargetSHA256, err = o.targetSum()
	return info, err
}

func (o options) targetText() string {
	shown := o.candidate
	shown.Args, shown.URL = maskArguments(shown.Args), maskURL(shown.URL)
	shown.Driver, shown.Exec = maskArguments(shown.Driver), maskArguments(shown.Exec)
	text := shown.String()
	if o.blackBox && !o.checkDialect {
		text += ", as a black box"
	}
	if o.waitPath == session.Fallback {
		text += ", without pidfds"
	}
	return text
}

func (o options) findDaemons(ctx context.Context) (map[target.Build]string, error) {
	daemons := map[target.Build]string{}
	for _, build := range target.Builds {
		if o.blackBox && build == target.FaultPoints {
			continue // a black box has none
		}
		path, err := target.Find(ctx, build, o.daemons)
		if err != nil {
			return nil, err
		}
		daemons[build] = path
	}
	return daemons, nil
}

// conclude reports from the folder and turns the verdict into an exit status.
func (o options) conclude(folder string, info results.Info, problem error) error {
	err := results.WriteInfo(folder, info)
	run, loadErr := results.Load(folder)
	if err = errors.Join(err, loadErr); err != nil {
		return o.unreported(errors.Join(problem, err))
	}
	if err := writeReports(folder, run); err != nil {
		return o.unreported(errors.Join(problem, err))
	}
	if errors.Is(problem, sandbox.ErrUnavailable) {
		defer fmt.Fprintln(o.progress, "see also: reapcheck doctor")
	}
	return o.show(run, problem)
}

// show prints what a run came to. The exit status of a shard is that of its own part:
// a job is in order that has done what it was to do.
func (o options) show(run results.Run, problem error) error {
	fmt.Fprintf(o.out, "\nresults: %s\n\n", run.Folder)
	if err := report.Table(o.out, run, tableStyle(o.out)); err != nil {
		return infrastructure(err)
	}
	return verdictStatus(run.Own, problem)
}

// unreported is the end of a run that could not leave a report. The last line
// still is a verdict, for whoever reads nothing else.
func (o options) unreported(err error) error {
	fmt.Fprintln(o.progress, "reapcheck:", printable.Escape(err.Error()))
	fmt.Fprintln(o.out, "verdict: inconclusive")
	return exit{exitInfrastructure, nil}
}

// errInterrupted is the problem of a run that had no other.
var errInterrupted = errors.New("interrupted")

// interrupted is the problem of an interrupted run: what the interrupt cut short is
// none of its own.
func interrupted(problem error) error {
	if problem == nil || errors.Is(problem, context.Canceled) {
		return errInterrupted
	}
	return fmt.Errorf("%w after a problem: %w", errInterrupted, problem)
}

func verdictStatus(v trial.Verdict, problem error) error {
	switch {
	case v == trial.Fail:
		return exit{exitFail, nil}
	case problem != nil && problem != errInterrupted:
		return exit{exitInfrastructure, nil} // the table has printed it
	case v == trial.Pass:
		return nil
	}
	return exit{exitInconclusive, nil}
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// chooseRuntime chooses the runtime and says why, in brackets. It may not return: see
// machine.Kind.Enter.
func (o *options) chooseRuntime(ctx context.Context) (why string, err error) {
	o.kind, why, err = machine.Choose(ctx, o.runtime, machine.Need{
		Image:     o.candidate.Image != "",
		BaseImage: o.baseImage != "",
		OwnOnly:   o.candidate.URL != "",
	})
	if err != nil {
		return "", err
	}
	o.runtime = o.kind.Name
	if why != "" {
		why = " (" + why + ")"
	}
	return why, o.kind.Enter()
}
