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
