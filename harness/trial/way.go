package trial

// Way is one way in which trials of an arm went wrong: an outcome of one kind of command.
type Way struct {
	Outcome Outcome
	Kind    string
	Trials  int
	First   Record
	// OneCode says that all of them were told the same exit code, that of First.
	OneCode bool
}

type wayKey struct {
	outcome Outcome
	kind    string
}

func (s *Summary) addWay(r Record) {
	key := wayKey{r.Outcome, r.Kind}
	at, known := s.ways[key]
	if !known {
		at = len(s.Ways)
		s.ways[key] = at
		s.Ways = append(s.Ways,
			Way{Outcome: r.Outcome, Kind: r.Kind, First: r, OneCode: r.Got != nil})
	}
	way := &s.Ways[at]
	way.Trials++
	way.OneCode = way.OneCode && r.Got != nil && *r.Got == *way.First.Got
}

// Excuse counts so many trials that show a symptom as good, or its check as held: what
// the symptom says is known and is no failure here. Where trials that hung are all
// excused, what was left out because of them is too. Counts and Checks must be the
// summary's own.
func (s *Summary) Excuse(y Symptom, trials int) {
	for i := range s.Checks {
		s.Checks[i].OK = s.Checks[i].OK || FailedCheck(s.Checks[i].Name) == y
	}
	if y.OfCheck() {
		return
	}
	s.Counts[Outcome(y)] -= trials
	s.Counts[OK] += trials
	if s.End.GivenUp && s.Counts[Hung] == 0 {
		s.End.Error, s.Plan.Trials, s.Plan.MinHits = "", s.Trials-s.spare, 1
	}
}
