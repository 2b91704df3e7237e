package trial

import (
	"fmt"
	"slices"
	"strings"
)

// Symptom is how an arm misbehaves: the word of an outcome that is not ok, or
// "check" and the name of a check that does not hold, or several of these with
// "or" between them.
type Symptom string

const (
	checkWord = "check "
	orWord    = " or "
)

// FailedCheck is the symptom of a check that does not hold.
func FailedCheck(name string) Symptom { return Symptom(checkWord + name) }

// OfCheck says whether it is the symptom of a check alone.
func (y Symptom) OfCheck() bool {
	return !slices.ContainsFunc(y.each(),
		func(one string) bool { return !strings.HasPrefix(one, checkWord) })
}

// Or is the symptom of who shows one of the two.
func (y Symptom) Or(other Symptom) Symptom { return y + orWord + other }

// each are the symptoms between the "or"s.
func (y Symptom) each() []string { return strings.Split(string(y), orWord) }

// Outcomes are all that a judged trial can come to, the right one first.
var Outcomes = []Outcome{OK, Lost, Wrong, Output, Error, Hung}

// Validate says what is wrong with a symptom that someone wrote.
func (y Symptom) Validate() error {
	for _, one := range y.each() {
		name, check := strings.CutPrefix(one, checkWord)
		if check && strings.TrimSpace(name) != "" || slices.Contains(Outcomes[1:], Outcome(one)) {
			continue
		}
		return fmt.Errorf("read symptom: %q is not one of %q or \"check NAME\"", one, Outcomes[1:])
	}
	return nil
}

// Shows says whether the arm has the symptom.
func (s *Summary) Shows(y Symptom) bool { return slices.ContainsFunc(y.each(), s.shows) }

func (s *Summary) shows(one string) bool {
	if name, ok := strings.CutPrefix(one, checkWord); ok {
		return slices.ContainsFunc(s.FailedChecks(), func(c Check) bool { return c.Name == name })
	}
	return slices.Contains(Outcomes[1:], Outcome(one)) && s.Counts[Outcome(one)] > 0
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
	text := s.Plan.Must()
	for i, y := range s.Plan.By {
		text += []string{" by ", " and "}[min(i, 1)] + string(y)
	}
	return text
}
