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

// Has says whether the record is one of the trials that went wrong this way. Where the order
// of two streams is all that is wrong with some of a kind, it is a way of its own: it must
// not excuse those of which bytes are missing. So is another part of the output.
func (w Way) Has(r Record) bool { return keyOf(w.First) == keyOf(r) }

type wayKey struct {
	outcome     Outcome
	kind, part  string
	interleaved bool
}

func keyOf(r Record) wayKey { return wayKey{r.Outcome, r.Kind, r.Part, r.Interleaved()} }

func (s *Summary) addWay(r Record) {
	key := keyOf(r)
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
