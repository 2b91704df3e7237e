package trial

import (
	"fmt"
	"slices"
	"strings"
)

// Verdict is what a scenario or a run comes to. The zero value, like every
// unknown word, is inconclusive.
type Verdict int

const (
	// Inconclusive means that nothing was proved, either way.
	Inconclusive Verdict = iota
	// Pass means that every claim held: also the baseline misbehaved as it had to.
	Pass
	// Fail means that the candidate misbehaved.
	Fail
)

// String is the verdict's word, in recordings and reports alike.
func (v Verdict) String() string {
	switch v {
	case Pass:
		return "pass"
	case Fail:
		return "fail"
	}
	return "inconclusive"
}

// MarshalText writes the verdict's word.
func (v Verdict) MarshalText() ([]byte, error) { return []byte(v.String()), nil }

// UnmarshalText reads a verdict's word; an unknown one is an error.
func (v *Verdict) UnmarshalText(text []byte) error {
	for _, known := range []Verdict{Inconclusive, Pass, Fail} {
		if known.String() == string(text) {
			*v = known
			return nil
		}
	}
	return fmt.Errorf("read verdict: %q is not pass, fail or inconclusive", text)
}

// Judge says what the arms of one scenario prove together, and why.
//
// A candidate that misbehaved fails at n = 1, whatever the baseline did: a
// wrong answer is a wrong answer. Short of that a pass needs everything:
// complete recordings, faults that hit, and baselines that did what they
// claim. Two exceptions guard the candidate: where the fault itself ran into
// trouble, its effect on the answers is unknown and nothing is proved; nor is it
// where the sandbox was lost, an engine having been stopped.
func Judge(arms []Summary) (Verdict, string) {
	if !hasRoles(arms) {
		return Inconclusive, "a baseline and a candidate arm are needed"
	}
	verdict, reason := Pass, ""
	for _, arm := range arms {
		v, why := arm.Judge()
		if v == Fail {
			return Fail, arm.Plan.Arm + ": " + why
		}
		if verdict == Pass && v != Pass {
			verdict, reason = v, arm.Plan.Arm+": "+why
		}
	}
	return verdict, reason
}

func hasRoles(arms []Summary) bool {
	seen := map[Role]bool{}
	for _, arm := range arms {
		seen[arm.Plan.Role] = true
	}
	delete(seen, Witness)
	return seen[Baseline] && seen[Candidate] && len(seen) == 2
}

// Judge is what one arm comes to on its own, and why; a scenario's verdict is
// drawn from all of its arms. A witness is no one's failure.
func (s *Summary) Judge() (Verdict, string) {
	broken := s.brokenClaim()
	switch {
	case s.Plan.Role == Witness:
		return Pass, ""
	case s.End.Void != "":
		return Inconclusive, s.End.Void
	case s.End.FaultNote != "":
		return Inconclusive, s.End.FaultNote
	case s.Plan.Role == Candidate && s.Plan.Claim == Clean && broken != "":
		return Fail, broken
	case s.incomplete() != "":
		return Inconclusive, s.incomplete()
	case s.missedFault():
		return Inconclusive, fmt.Sprintf("fault %s hit %d times, at least %d needed", s.Plan.Fault,
			s.End.FaultHits, s.minHits())
	case broken != "" && s.Plan.Role == Candidate:
		return Fail, broken
	case broken != "":
		return Inconclusive, "the baseline did not do what it claims: " + broken
	}
	return Pass, ""
}

func (s *Summary) incomplete() string {
	switch {
	case s.Damage != "":
		return "the recording is damaged: " + s.Damage
	case s.End.Error != "":
		return s.End.Error
	case s.End.Stopped != "":
		return s.End.Stopped
	case !s.Ended:
		return fmt.Sprintf("cut after %d of %d trials", s.Trials, s.Plan.Trials)
	case s.missing() != 0 && s.End.ShownBy == nil && s.End.Tried == "":
		return fmt.Sprintf("%d of %d trials are missing", s.missing(), s.Plan.Trials)
	case s.End.Checks > 0 && s.End.Checks != len(s.Checks):
		return fmt.Sprintf("%d checks were made, %d are recorded", s.End.Checks, len(s.Checks))
	case s.Counts[""] > 0:
		return fmt.Sprintf("%d trials were never judged", s.Counts[""])
	case s.Trials+len(s.Checks) == 0:
		return "nothing was tried"
	}
	return ""
}

// missing is how many trials of the plan are not there; the spare ones are no part of it.
func (s *Summary) missing() int { return s.Plan.Trials - (s.Trials - s.spare) }

// shown says whether one of the trials has shown the claim: where the arm was to end
// there, one that the fault hit.
func (s *Summary) shown() bool {
	if s.Plan.UntilShown && s.End.ShownBy == nil {
		return false
	}
	return slices.ContainsFunc(Outcomes, func(o Outcome) bool {
		return s.Plan.Claim.Shown(o) && s.Counts[o] > 0
	})
}

func (s *Summary) minHits() int64 { return max(1, s.Plan.MinHits) }

func (s *Summary) missedFault() bool {
	return s.Plan.Fault != "" && s.End.FaultHits < s.minHits()
}

// brokenClaim says how the arm contradicts its claim; empty if it does not.
func (s *Summary) brokenClaim() string {
	var holds bool
	switch s.Plan.Claim {
	case Clean:
		holds = s.BadTrials() == 0 && len(s.FailedChecks()) == 0
	case Recovers:
		holds = 2*s.Counts[OK] > max(s.Trials, s.Plan.Trials)
	case Loses, Misleads:
		holds = s.shown()
	case LosesAll:
		holds = s.Counts[Lost] == max(s.Trials, s.Plan.Trials)
	case Misbehaves:
		holds = s.misbehaves()
	default:
		return fmt.Sprintf("unknown claim %q", s.Plan.Claim)
	}
	if holds {
		return ""
	}
	return fmt.Sprintf("must %s, saw %s", s.must(), s.tally())
}

// tally says what was seen, in a line.
func (s *Summary) tally() string {
	parts := []string{fmt.Sprintf("%d trials", s.Trials)}
	for _, o := range Outcomes {
		if n := s.Counts[o]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, o))
		}
	}
	for _, c := range s.FailedChecks() {
		parts = append(parts, fmt.Sprintf("%s %s instead of %s", c.Name, c.Got, c.Want))
	}
	return strings.Join(parts, ", ")
}

// Overall is the verdict of a run: one fail fails it, and a pass needs every
// scenario to pass and at least one of them.
func Overall(scenarios []Verdict) Verdict {
	switch {
	case slices.Contains(scenarios, Fail):
		return Fail
	case len(scenarios) == 0 || slices.Contains(scenarios, Inconclusive):
		return Inconclusive
	}
	return Pass
}
