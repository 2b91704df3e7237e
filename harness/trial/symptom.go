package trial

import (
	"fmt"
	"slices"
	"strings"
)

// Symptom is how an arm misbehaves: the word of an outcome that is not ok, or
// "check" and the name of a check that does not hold.
type Symptom string

const checkWord = "check "

// FailedCheck is the symptom of a check that does not hold.
func FailedCheck(name string) Symptom { return Symptom(checkWord + name) }

// Outcomes are all that a judged trial can come to, the right one first.
var Outcomes = []Outcome{OK, Lost, Wrong, Output, Error, Hung}

// Validate says what is wrong with a symptom that somebody wrote.
func (y Symptom) Validate() error {
	if name, ok := strings.CutPrefix(string(y), checkWord); ok && strings.TrimSpace(name) != "" {
		return nil
	}
	if slices.Contains(Outcomes[1:], Outcome(y)) {
		return nil
	}
	return fmt.Errorf("read symptom: %q is none of %q and no \"check NAME\"", y, Outcomes[1:])
}

// Shows says whether the arm has the symptom.
func (s *Summary) Shows(y Symptom) bool {
	if name, ok := strings.CutPrefix(string(y), checkWord); ok {
		return slices.ContainsFunc(s.FailedChecks(), func(c Check) bool { return c.Name == name })
	}
	return slices.Contains(Outcomes[1:], Outcome(y)) && s.Counts[Outcome(y)] > 0
}

// misbehaves says whether all symptoms that the plan names are there. Where it
// names none, as plans once did, any will do.
func (s *Summary) misbehaves() bool {
	if len(s.Plan.By) == 0 {
		return s.BadTrials() > 0 || len(s.FailedChecks()) > 0
	}
	return !slices.ContainsFunc(s.Plan.By, func(y Symptom) bool { return !s.Shows(y) })
}

// must says in words what the arm's plan asks of it.
func (s *Summary) must() string {
	text := s.Plan.Claim.Must()
	for i, y := range s.Plan.By {
		text += []string{" by ", " and "}[min(i, 1)] + string(y)
	}
	return text
}
