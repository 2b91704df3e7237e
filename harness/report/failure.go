package report

import (
	"fmt"
	"time"

	"github.com/reapcheck/reapcheck/harness/printable"
	"github.com/reapcheck/reapcheck/harness/results"
	"github.com/reapcheck/reapcheck/harness/trial"
)

// failure is one bad trial with its evidence.
type failure struct {
	Anchor, Scenario, Arm, Strategy, Fault string
	Index                                  int
	Outcome, Kind, Asked, Got, Why         string
	Want                                   int
	Sent, Took                             string
	Lanes                                  []lane
	Moments                                []moment
	Story                                  string
	Log                                    []shownLine
	Files                                  []string
	Repeat                                 string
	// bad trials of this arm that are not shown; set on the last one
	More int
	Open bool
	// Ordered says that the moments are in their turns and have no time.
	Ordered bool
}

// lane is one row of the drawing, with the numbers of the moments on it.
type lane struct {
	Name     string
	From, To float64 // percent
	Points   []point
}

type point struct {
	X      float64
	Number int
}

// moment is one row of the list beside the drawing.
type moment struct {
	Number           int
	After, Who, What string
}

// failures are the bad trials of arms that had to be clean.
func failures(run results.Run, f results.Finding) []failure {
	var all []failure
	for _, a := range f.Arms {
		if a.Plan.Claim != trial.Clean || len(a.Bad) == 0 {
			continue
		}
		for i, r := range a.Bad {
			shown := newFailure(run, f, a, r)
			shown.Open = i == 0
			all = append(all, shown)
		}
		all[len(all)-1].More = a.BadTrials() - len(a.Bad)
	}
	return all
}

// baselineFailure is one bad trial of a baseline, the one that its log explains
// best: what the defect looks like where it is wanted.
func baselineFailure(run results.Run, f results.Finding) []failure {
	var found []failure
	for _, a := range f.Arms {
		if a.Plan.Role != trial.Baseline || a.Plan.Claim == trial.Clean {
			continue
		}
		for _, r := range a.Bad {
			shown := newFailure(run, f, a, r)
			if shown.Story != "" {
				return []failure{shown}
			}
			if found == nil {
				found = []failure{shown}
			}
		}
	}
	return found
}

// anchor names one trial on the page.
func anchor(scenario, arm string, trial int) string {
	return printable.Line(fmt.Sprintf("%s-%s-%d", scenario, arm, trial))
}

func newFailure(run results.Run, f results.Finding, a results.Arm, r trial.Record) failure {
	log, files := logOf(a, r)
	t := newTimeline(r, log)
	shown := failure{
		Anchor:   anchor(f.ID, a.Plan.Arm, r.Index),
		Scenario: printable.Line(f.ID),
		Arm:      printable.Line(a.Plan.Arm),
		Strategy: printable.Line(a.Plan.Strategy),
		Fault:    printable.Line(a.Plan.Fault),
		Index:    r.Index,
		Outcome:  printable.Line(string(r.Outcome)),
		Kind:     printable.Line(r.Kind),
		Asked:    printable.Text(r.Command),
		Want:     r.Want,
		Got:      got(r),
		Why:      printable.Text(r.Detail),
		Took:     printable.Micros(float64(r.Micros)),
		Story:    t.Story,
		Log:      t.excerpt(),
		Files:    append(files, a.Recording),
		Repeat:   printable.Line(run.Repeat(f.ID)),
	}
	if !r.Sent.IsZero() {
		shown.Sent = r.Sent.UTC().Format("15:04:05.000 UTC")
	}
	if shown.Lanes, shown.Moments = draw(t.Events); len(r.Steps) > 0 {
		shown.Lanes, shown.Moments = drawOrder(r.Steps)
		shown.Ordered = true
	}
	return shown
}

// logOf is the log kept of the trial itself, or else the log of a neighbour
// that tells of it too.
func logOf(a results.Arm, r trial.Record) (log []logLine, files []string) {
	var neighbour []logLine
	for _, artefact := range a.Artefacts {
		switch {
		case artefact.Trial == r.Index:
			files = append(files, artefact.Path)
			log = append(log, parseLog(artefact.Log)...)
		case neighbour == nil && newTimeline(r, parseLog(artefact.Log)).known():
			neighbour = parseLog(artefact.Log)
		}
	}
	if log == nil {
		log = neighbour
	}
	return log, files
}

// draw puts events on lanes over a linear axis.
func draw(events []event) ([]lane, []moment) {
	last := events[len(events)-1].After
	names := []string{laneClient, laneWaiter, laneChild, laneReaper}
	lanes := make([]lane, len(names))
	var moments []moment
	for n, e := range events {
		// Room for the numbers at both ends.
		x := hundredths(4 + 92*float64(e.After)/float64(max(1, last)))
		moments = append(moments, moment{n + 1,
			"+" + printable.Duration(e.After.Round(100*time.Microsecond)), e.Lane, e.Text})
		for i, name := range names {
			lanes[i].Name = name
			if name == e.Lane {
				lanes[i].add(point{x, n + 1})
			}
		}
	}
	return lanes, moments
}

func (l *lane) add(p point) {
	if len(l.Points) == 0 {
		l.From = p.X
	}
	l.To = p.X
	l.Points = append(l.Points, p)
}
