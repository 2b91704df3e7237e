package results

import (
	"cmp"
	"slices"

	"github.com/reapcheck/reapcheck/harness/evidence"
	"github.com/reapcheck/reapcheck/harness/trial"
)

// Found is a cause that a run has found, with all that shows it.
type Found struct {
	Cause
	Level  trial.Level
	Weight Weight
	// Scenarios are those in which it showed, the one that shows it best first.
	Scenarios []Showing
	// Best is the defect that shows it best.
	Best Defect
}

// Showing is one scenario in which a cause showed.
type Showing struct {
	Scenario string
	// Bad of Trials went wrong so, in all its arms; none where a check alone shows it.
	Bad, Trials int
	// Checks are those that do not hold for that reason.
	Checks []string
}

// In says whether the cause showed in that scenario.
func (f Found) In(scenario string) bool {
	return slices.ContainsFunc(f.Scenarios,
		func(s Showing) bool { return s.Scenario == scenario })
}

// Causes are what the findings have in common, the worst first: by what it does to the
// verdict, by its level, and by how many scenarios it fails. Of two that are alike so far,
// the one that says why is first.
func Causes(findings []Finding) []Found {
	var found []Found
	all := counted(findings)
	for _, d := range all {
		if under := d.Cause.under; under != "" && d.fails() && shows(all, under) {
			d = d.joins(under)
		} else if d.fails() && d.Cause.ID != reaperHad && d.saysLost(all) {
			d = d.joins(reaperHad)
		} else if d.shows(limited) && cutElsewhere(all) {
			d = d.joins(outputCut.ID)
		}
		at := slices.IndexFunc(found, func(f Found) bool {
			return f.ID == d.Cause.ID && f.Weight == d.Weight && f.Level == d.Level
		})
		if at < 0 {
			at = len(found)
			found = append(found, Found{
				Cause: d.Cause, Level: d.Level, Weight: d.Weight, Best: d,
			})
		}
		found[at].add(d)
	}
	for i := range found {
		found[i].bestFirst()
	}
	slices.SortStableFunc(found, worstFirst)
	return found
}

// counted are the defects of all scenarios whose verdict they bear, or that they do not
// bear on.
func counted(findings []Finding) []Defect {
	var all []Defect
	for _, f := range findings {
		for _, a := range f.Arms {
			for _, d := range a.Defects {
				if d.Weight == Fails && f.Verdict != trial.Fail {
					continue // nothing is proved
				}
				if d.Weight == Fails && f.Waived == Accepted {
					d.Weight = Forgiven
				}
				all = append(all, d)
			}
		}
	}
	return all
}

// shows says whether the cause was shown by evidence of its own.
func shows(all []Defect, id string) bool {
	return slices.ContainsFunc(all, func(d Defect) bool { return d.shows(id) })
}

func (d Defect) shows(id string) bool {
	return d.Cause.ID == id && d.Cause.under == "" && d.fails()
}

// saysLost says whether the defect's code is the one that this run's lost codes were told, in
// whatever way the command was to go.
func (d Defect) saysLost(all []Defect) bool {
	return d.told != nil && slices.ContainsFunc(all, func(lost Defect) bool {
		return lost.shows(reaperHad) && lost.told != nil && *lost.told == *d.told
	})
}

// cutElsewhere says whether outputs that are taken for limited end at places too different for
// one limit, which may count characters of up to four bytes.
func cutElsewhere(all []Defect) bool {
	var cuts []int
	for _, d := range all {
		if d.shows(limited) {
			cuts = append(cuts, d.cut)
		}
	}
	return len(cuts) > 0 && slices.Max(cuts) > 4*slices.Min(cuts)
}

// joins makes the defect one of a stronger cause.
func (d Defect) joins(id string) Defect {
	at := slices.IndexFunc(causes, func(c Cause) bool { return c.ID == id })
	d.Cause, d.Level, d.weak = causes[at], cmp.Or(causes[at].Level, d.Level), true
	return d
}

// fails says whether the defect fails its scenario, be that accepted or not.
func (d Defect) fails() bool { return d.Weight == Fails || d.Weight == Forgiven }

func (f *Found) add(d Defect) {
	at := slices.IndexFunc(f.Scenarios, func(s Showing) bool { return s.Scenario == d.Scenario })
	if at < 0 {
		at = len(f.Scenarios)
		f.Scenarios = append(f.Scenarios, Showing{Scenario: d.Scenario})
	}
	s := &f.Scenarios[at]
	if d.Check != nil {
		s.Checks = append(s.Checks, d.Check.Name)
	} else {
		s.Bad, s.Trials = s.Bad+d.Trials, s.Trials+d.Of
	}
	if d.clearer(f.Best) {
		f.Best = d
	}
}

// clearer says whether a reader learns more from this defect than from another.
func (d Defect) clearer(other Defect) bool {
	return cmp.Or(
		boolean(other.weak)-boolean(d.weak),
		boolean(d.Record != nil)-boolean(other.Record != nil),
		boolean(d.Logged)-boolean(other.Logged),
		boolean(d.Trials >= evidence.Enough)-boolean(other.Trials >= evidence.Enough),
		cmp.Compare(other.commandLength(), d.commandLength())) > 0
}

func (d Defect) commandLength() int {
	if d.Record == nil {
		return 0
	}
	return len(d.Record.Command)
}

func boolean(b bool) int {
	if b {
		return 1
	}
	return 0
}

// bestFirst puts the scenario of the best trial first, and then those in which the most
// went wrong.
func (f *Found) bestFirst() {
	slices.SortStableFunc(f.Scenarios, func(a, b Showing) int {
		return cmp.Or(
			boolean(b.Scenario == f.Best.Scenario)-boolean(a.Scenario == f.Best.Scenario),
			cmp.Compare(trial.Rate(b.Bad, b.Trials), trial.Rate(a.Bad, a.Trials)))
	})
}

func worstFirst(a, b Found) int {
	return cmp.Or(
		slices.Index(Weights, a.Weight)-slices.Index(Weights, b.Weight),
		a.Level.Rank()-b.Level.Rank(),
		len(b.Scenarios)-len(a.Scenarios),
		a.unspecific()-b.unspecific())
}

// unspecific is 1 for a cause that says what happened and not why.
func (f Found) unspecific() int {
	if f.ID == noAnswer || f.ID == unknownCause.ID {
		return 1
	}
	return 0
}
