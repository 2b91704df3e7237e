package scenarios

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/onsi/ginkgo/v2"
	"github.com/onsi/gomega"

	"github.com/reapcheck/reapcheck/harness/session"
	"github.com/reapcheck/reapcheck/harness/target"
	"github.com/reapcheck/reapcheck/harness/trial"
)

// plan says what a scenario does in a session.
type plan func(s *session.Session) session.Experiment

var (
	// known is every scenario, in the order of its ID.
	known []trial.Scenario
	// plans are the scenarios' plans by ID.
	plans = map[string]plan{}
	// needed is what each scenario needs, by ID.
	needed = map[string]needs{}
)

// scenario declares one finding: what it is about, what must come true, and how
// that is tried. No correct daemon may do otherwise: its level is must. What weighs less
// of it whatever the scenario, such as a thread for each command, has a level of its own
// in harness/results/causes.go. A scenario that needs more or less of a target than most
// is declared by its needs.
func scenario(id, subject, promise string, p plan) bool {
	return processes.scenario(id, subject, promise, p)
}

// should is scenario for what a careful daemon does.
func should(id, subject, promise string, p plan) bool {
	return processes.declare(trial.Should, id, subject, promise, p)
}

// advice is scenario for a choice that has a price.
func advice(id, subject, promise string, p plan) bool {
	return processes.declare(trial.Advice, id, subject, promise, p)
}

func (n needs) scenario(id, subject, promise string, p plan) bool {
	return n.declare(trial.Must, id, subject, promise, p)
}

// declare makes a scenario known. Its spec waits for the experiment, which Run has begun.
func (n needs) declare(level trial.Level, id, subject, promise string, p plan) bool {
	known = append(known, trial.Scenario{ID: id, Text: subject + " " + promise, Level: level})
	slices.SortFunc(known, func(a, b trial.Scenario) int { return strings.Compare(a.ID, b.ID) })
	plans[id], needed[id] = p, n
	return ginkgo.Describe(subject, ginkgo.Label(id), func() {
		ginkgo.It(promise, func(ctx ginkgo.SpecContext) {
			finding, err := current.wait(ctx, id)
			gomega.Expect(err).NotTo(gomega.HaveOccurred())
			gomega.Expect(finding.Verdict).To(gomega.Equal(trial.Pass), finding.Reason)
		})
	})
}

// List returns every scenario in the order of its ID.
func List() []trial.Scenario { return slices.Clone(known) }

// needs is what a scenario needs of a target. Its declaration says so.
type needs int

const (
	answers     needs = iota // what a daemon answers, and nothing else
	processes                // its processes and system calls too, as most do
	tracing                  // a daemon that lets itself be traced as well
	likeness                 // a daemon that is made as the reference daemon is
	ourSettings              // a setting that the reference daemon alone has
	faultPoints              // the fault points in the reference daemon's code
)

// Access is how much of a target a run can get at.
type Access int

const (
	Inside  Access = iota // fault points in the reference daemon's code
	Outside               // the reference daemon's system calls and processes
	Foreign               // those of somebody else's daemon
	Answers               // what a daemon answers, and nothing else
)

// LeftOut says why a scenario is left out unless it is named; empty if it is not.
func LeftOut(id string, access Access) string {
	switch n := needed[id]; {
	case access == Inside || n == answers:
		return ""
	case access == Answers:
		return "since a target at a URL shows only its answers"
	case n == faultPoints:
		return "since this target has no fault points"
	case access == Foreign && n == ourSettings:
		return "since only the reference daemon has this setting"
	case access == Foreign && n == likeness:
		return "since it fits few daemons and is judged only where --only names it"
	}
	return ""
}

// Sayable returns the chosen scenarios that the session can try with its candidate, and
// why it cannot try the others, by ID: the candidate cannot be asked for them, or what they
// are about cannot be seen.
func Sayable(s *session.Session, chosen []trial.Scenario) (
	sayable []trial.Scenario, why map[string]string) {
	why = map[string]string{}
	for i, e := range experiments(s, chosen) {
		if text := cmp.Or(session.Unsaid(e, s.Candidate), unseen(e.Scenario, s)); text != "" {
			why[e.Scenario] = text
		} else {
			sayable = append(sayable, chosen[i])
		}
	}
	return sayable, why
}

// unseen says why a run as this one cannot see whether its fault has hit.
func unseen(id string, s *session.Session) string {
	if needed[id] == likeness && s.BlackBox && s.WaitPath == session.Fallback {
		return "since from outside it is seen by the pidfds that --wait-path=fallback takes away"
	}
	return ""
}

// Unfed are the chosen scenarios that give commands an input, each with the reason, where
// the candidate ignores inputs and no one has said that it knows them: its dialect is the
// default, which has a field for them.
func Unfed(s *session.Session, chosen []trial.Scenario) (fed []trial.Scenario,
	why map[string]string) {
	why = map[string]string{}
	if !s.IgnoresInput {
		return chosen, why
	}
	gives := with(s, chosen, func(arm session.Arm) bool { return arm.ByInput })
	for _, c := range chosen {
		if gives(c) {
			why[c.ID] = "since the target ignores " + s.Candidate.Dialect.Name +
				"'s field for an input, which nothing but the default says: name the dialect to have it judged"
		} else {
			fed = append(fed, c)
		}
	}
	return fed, why
}

// Traceable returns the chosen scenarios without those that need tracing, and why, where
// the session's candidate cannot be traced. If nothing else was chosen, the scenario says
// so itself.
func Traceable(ctx context.Context, s *session.Session, chosen []trial.Scenario) (
	traceable []trial.Scenario, why map[string]string, err error) {
	return leaveOut(chosen, func(c trial.Scenario) bool { return needed[c.ID] == tracing },
		func() (string, error) {
			refusal, err := s.Explorable(ctx)
			if refusal == nil || err != nil {
				return "", err
			}
			text, _, _ := strings.Cut(refusal.Error(), "\n")
			return text, nil
		})
}

// leaveOut returns the chosen scenarios that are not moot, and why the others are, which
// reason says. All are returned where it says nothing. It is not asked if all are moot, or
// none.
func leaveOut(chosen []trial.Scenario, moot func(trial.Scenario) bool,
	reason func() (string, error)) (rest []trial.Scenario, why map[string]string, err error) {
	why = map[string]string{}
	for _, c := range chosen {
		if moot(c) {
			why[c.ID] = ""
		} else {
			rest = append(rest, c)
		}
	}
	if len(why) == 0 || len(rest) == 0 {
		return chosen, nil, nil
	}
	text, err := reason()
	if text == "" || err != nil {
		return chosen, nil, err
	}
	for id := range why {
		why[id] = text
	}
	return rest, why, nil
}

// Select returns the scenarios with the given IDs; for none, all that the
// access allows. An ID that does not exist is an error that names those that
// do.
func Select(ids []string, access Access) ([]trial.Scenario, error) {
	if len(ids) == 0 {
		return slices.DeleteFunc(List(), func(s trial.Scenario) bool {
			return LeftOut(s.ID, access) != ""
		}), nil
	}
	var chosen []trial.Scenario
	for _, id := range ids {
		i := slices.IndexFunc(known, func(s trial.Scenario) bool { return s.ID == id })
		if i < 0 {
			return nil, fmt.Errorf("unknown scenario %q: choose from %s", id, names(known))
		}
		if access >= Foreign && needed[id] == ourSettings {
			return nil, fmt.Errorf(
				"scenario %s is about a setting that the reference daemon alone has", id)
		}
		if !slices.Contains(chosen, known[i]) {
			chosen = append(chosen, known[i])
		}
	}
	return chosen, nil
}

// Known says what is wrong with a scenario's ID; nil for one that there is.
func Known(id string) error {
	_, err := Select([]string{id}, Inside)
	return err
}

// Without returns the chosen scenarios but those with the given IDs, of which
// each must exist.
func Without(chosen []trial.Scenario, ids []string) ([]trial.Scenario, error) {
	if len(ids) == 0 {
		return chosen, nil
	}
	skipped, err := Select(ids, Inside)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(chosen, func(s trial.Scenario) bool {
		return slices.Contains(skipped, s)
	}), nil
}

func names(all []trial.Scenario) string {
	ids := make([]string, len(all))
	for i, s := range all {
		ids[i] = s.ID
	}
	return strings.Join(ids, ", ")
}

// candidate is the arm that runs the daemon under test, which must be clean.
func candidate(arm session.Arm) session.Arm {
	arm.Name, arm.Role, arm.Claim = "candidate", trial.Candidate, trial.Clean
	return arm
}

// misbehaving is a baseline: the reference daemon under a strategy that breaks
// the promise at hand, and shows it by all of these symptoms.
func misbehaving(arm session.Arm, name, strategy string, by ...trial.Symptom) session.Arm {
	arm.Name, arm.Role, arm.Strategy, arm.Claim, arm.By = name, trial.Baseline, strategy,
		trial.Misbehaves, by
	return arm
}

// naive is the baseline where all strategies keep the promise: fixtures/programs/naive,
// in one of its manners if one is named.
func naive(arm session.Arm, manner string, by ...trial.Symptom) session.Arm {
	arm.Name, arm.Role, arm.Build, arm.Claim, arm.By = "naive", trial.Baseline, target.Naive,
		trial.Misbehaves, by
	if manner != "" {
		arm.Name, arm.Env = "naive-"+manner, map[string]string{"NAIVE": manner}
	}
	return arm
}
