package scenarios

import (
	"context"
	"slices"
	"strings"

	"github.com/reapcheck/reapcheck/harness/session"
	"github.com/reapcheck/reapcheck/harness/trial"
)

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

// Sayable returns the chosen scenarios that the session's candidate can be asked for, and
// why it cannot be asked for the others, by ID.
func Sayable(s *session.Session, chosen []trial.Scenario) (
	sayable []trial.Scenario, why map[string]string) {
	why = map[string]string{}
	for i, e := range experiments(s, chosen) {
		if text := session.Unsaid(e, s.Candidate); text != "" {
			why[e.Scenario] = text
		} else {
			sayable = append(sayable, chosen[i])
		}
	}
	return sayable, why
}

// Traceable returns the chosen scenarios without those that need tracing, and why, where
// the session's candidate cannot be traced. If nothing else was chosen, the scenario says
// so itself.
func Traceable(ctx context.Context, s *session.Session, chosen []trial.Scenario) (
	traceable []trial.Scenario, why map[string]string, err error) {
	traces := func(c trial.Scenario) bool { return needed[c.ID] == tracing }
	rest := slices.DeleteFunc(slices.Clone(chosen), traces)
	if len(rest) == 0 || len(rest) == len(chosen) {
		return chosen, nil, nil
	}
	refusal, err := s.Explorable(ctx)
	if err != nil || refusal == nil {
		return chosen, nil, err
	}
	why = map[string]string{}
	for _, c := range slices.DeleteFunc(slices.Clone(chosen), func(c trial.Scenario) bool {
		return !traces(c)
	}) {
		why[c.ID], _, _ = strings.Cut(refusal.Error(), "\n")
	}
	return rest, why, nil
}
