package trial

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"
)

// Role says which side of a scenario an arm is.
type Role string

const (
	// Baseline arms must do what their claim says, which is to fail as a rule, or
	// nothing was proved.
	Baseline Role = "baseline"
	// Candidate arms are judged.
	Candidate Role = "candidate"
	// Witness arms are shown and not judged: the candidate once more, with the
	// fault held the other way. They tell why it fails, not whether.
	Witness Role = "witness"
)

// Claim is what an arm must show.
type Claim string

const (
	// Clean: every trial is ok and every check holds.
	Clean Claim = "clean"
	// Recovers: most trials are ok. It is for a baseline that copes with the fault
	// on a machine that has time for it.
	Recovers Claim = "recovers"
	// Loses: at least one trial is lost.
	Loses Claim = "loses"
	// LosesAll: every trial is lost.
	LosesAll Claim = "loses-all"
	// Misleads: at least one trial is wrong.
	Misleads Claim = "misleads"
	// NoClaim is a witness's.
	NoClaim Claim = "none"
	// Misbehaves: the arm shows every symptom that its plan names.
	Misbehaves Claim = "misbehaves"
)

var musts = map[Claim]string{
	Clean: "be clean", Recovers: "be right mostly", Loses: "lose", LosesAll: "lose all",
	Misleads: "give a wrong code", Misbehaves: "misbehave",
}

// Shown says whether one trial with outcome o is all that the claim asks for.
func (c Claim) Shown(o Outcome) bool {
	return c == Loses && o == Lost || c == Misleads &&
		o == Wrong
}

// Plan is the first line of a recording: what was to be done, and what the
// arm must show. It is fixed before the first trial.
type Plan struct {
	// Run is the run's name, as in run.json.
	Run      string `json:"run"`
	Scenario string `json:"scenario"`
	Arm      string `json:"arm"`
	// Arms are all that the scenario has in this run: none may be missing.
	Arms []string `json:"arms"`
	Role Role     `json:"role"`
	// Strategy is the reference daemon's, empty for a foreign target.
	Strategy string `json:"strategy,omitempty"`
	Claim    Claim  `json:"claim"`
	// By are the symptoms of an arm that must misbehave: one that fails in some
	// other way does not show that the look at these is not blind.
	By     []Symptom `json:"by,omitempty"`
	Trials int       `json:"trials"`
	// First is the index of the first of them, and Whole how many trials the arm has in
	// all shards, where the recording is one of several. Whole is 0 of a whole arm.
	First int `json:"first,omitempty"`
	Whole int `json:"whole,omitempty"`
	// UntilShown is an arm's whose Trials are as many as it may take until one of
	// them shows the claim while the fault hits. The rest is left out then.
	UntilShown bool `json:"untilShown,omitempty"`
	// AtLeast is how many of its trials are done in any case.
	AtLeast int `json:"atLeast,omitempty"`
	// Spare is how many more trials may follow: while the fault has hit fewer times than
	// it must, or where a failed check counts only if it fails again. Whether they do never
	// depends on what the target answers.
	Spare int `json:"spare,omitempty"`
	// Factor is the share of an arm's trials that this machine had time for.
	Factor float64 `json:"factor,omitempty"`

	InFlight int    `json:"inFlight"`
	Seed     uint64 `json:"seed"`
	// Fault names what is injected; empty means nothing.
	Fault string `json:"fault,omitempty"`
	// MinHits is how often the fault must have hit for the arm to count; it is
	// not looked at where Fault is empty, and 0 then means 1.
	MinHits int64 `json:"minHits,omitempty"`
}

// planned says whether the plan has a trial with this index, and whether it is a spare
// one. The spare ones of all parts follow the last trial of all parts.
func (p Plan) planned(index int) (there, spare bool) {
	whole := max(p.Whole, p.Trials)
	if spare = index >= whole; spare {
		index -= whole
	}
	count := p.Trials
	if spare {
		count = p.Spare
	}
	return index >= p.First && index-p.First < count, spare
}

// Must says in words what the arm's claim asks of it; empty for a claim that there
// is not.
func (p Plan) Must() string {
	text := musts[p.Claim]
	if text != "" && p.UntilShown {
		text += " once"
	}
	return text
}

// End is the last line of a recording. A recording without one was cut.
type End struct {
	// Checks is how many checks stand before it; 0 in recordings that did not count
	// them, since each arm that ended in order has one.
	Checks    int   `json:"checks,omitempty"`
	FaultHits int64 `json:"faultHits"`
	// FaultNote is what the fault has to say of its hits, such as a hold that
	// ran into its limit. A note makes the arm inconclusive.
	FaultNote string `json:"faultNote,omitempty"`
	// ShownBy is the trial that showed the claim of an arm with UntilShown while the
	// fault hit; nil where none did.
	ShownBy *int `json:"shownBy,omitempty"`
	// Tried says in words what a search came to that had no more to try, before the plan's
	// trials were done or with them; empty for an arm that is none, or that was cut.
	Tried string `json:"tried,omitempty"`
	// StartMicros is how long the sandbox took until it was ready.
	StartMicros int64 `json:"startUs"`
	// Void says why the arm's answers count for nothing, whatever they are: the
	// sandbox was lost on the way.
	Void string `json:"void,omitempty"`
	// Stopped says why the rest of the plan was left out: on purpose, or by an interrupt.
	Stopped string `json:"stopped,omitempty"`
	// Error says why the arm stopped before its plan was done.
	Error string `json:"error,omitempty"`
	// GivenUp says that it stopped since too many trials had hung, and for nothing else.
	GivenUp bool `json:"givenUp,omitempty"`
}

// Line is one line of a recording: exactly one field is set.
type Line struct {
	Plan   *Plan   `json:"plan,omitempty"`
	Record *Record `json:"trial,omitempty"`
	Check  *Check  `json:"check,omitempty"`
	End    *End    `json:"end,omitempty"`
}

// KeptBad is how many bad trials a Summary keeps whole; the rest is counted.
const KeptBad = 20

// Summary is what a recording says, counted.
type Summary struct {
	Plan   Plan
	Counts map[Outcome]int
	Trials int
	spare  int      // of them, beyond the plan's
	Bad    []Record // the first KeptBad
	// Ways are the ways in which trials went wrong, in the order of their first one.
	Ways []Way
	// Kinds counts all trials by the kind of their command.
	Kinds map[string]int
	// Walks are the trials among them that were random walks.
	Walks int
	// UntilBad is how many trials had ended when the first bad one had, itself
	// included; 0 if none was bad.
	UntilBad int
	// Micros is how long each answer took, in the order of the recording. Where that is
	// more than MostTimes, it is every second one, every fourth and so on.
	Micros []int64
	every  int // which of them are kept
	// Took is the time from the arm's start to its last answer.
	Took   time.Duration
	Checks []Check
	End    End
	Ended  bool
	// Damage says what is wrong with the recording itself; empty if nothing.
	Damage string

	seen indexes
	ways map[wayKey]int // the index in Ways
}

// MostTimes bounds what a Summary keeps of the times. A quantile of so many is as good
// as one of all.
const MostTimes = 1 << 15

// maxLine bounds one line of a recording.
const maxLine = 1 << 20

// Read counts a recording. The error is the reader's own; what is wrong with
// the recording is in Summary.Damage, since a damaged recording is evidence of
// a cut run and has to reach the judge.
func Read(r io.Reader) (Summary, error) {
	s := newSummary()
	defer func() { s.seen = nil }()
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, maxLine)
	n := 1
	for ; lines.Scan(); n++ {
		if r, ok := plainRecord(lines.Bytes()); ok && n > 1 && !s.Ended {
			s.addRecord(r)
			continue
		}
		var line Line
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
			s.damaged("line %d is not JSON: %v", n, err)
			continue
		}
		s.add(n, line)
	}
	if errors.Is(lines.Err(), bufio.ErrTooLong) {
		s.damaged("line %d is longer than %d bytes; the rest was not read", n, maxLine)
		return s, nil
	}
	return s, lines.Err()
}

func newSummary() Summary {
	return Summary{
		Counts: map[Outcome]int{}, Kinds: map[string]int{},
		seen: indexes{}, every: 1, ways: map[wayKey]int{},
	}
}

func (s *Summary) add(n int, line Line) {
	switch {
	case s.Ended:
		s.damaged("line %d follows the end", n)
	case (n == 1) != (line.Plan != nil):
		s.damaged("line %d: the plan must be the first line and only that", n)
	case line.Plan != nil:
		s.Plan = *line.Plan
	case line.Record != nil:
		s.addRecord(*line.Record)
	case line.Check != nil:
		s.Checks = append(s.Checks, *line.Check)
	case line.End != nil:
		s.End, s.Ended = *line.End, true
	default:
		s.damaged("line %d says nothing", n)
	}
}

func (s *Summary) addRecord(r Record) {
	planned, spare := s.Plan.planned(r.Index)
	if !planned || !s.seen.add(r.Index) {
		s.damaged("trial %d is recorded twice or was never planned", r.Index)
		return
	}
	s.Trials++
	if spare {
		s.spare++
	}
	s.Counts[r.Outcome]++
	s.Kinds[r.Kind]++
	if r.Walk > 0 {
		s.Walks++
	}
	s.addTime(r.Micros)
	s.Took = max(s.Took, time.Duration(r.AtMicros+r.Micros)*time.Microsecond)
	if r.Bad() && s.UntilBad == 0 {
		s.UntilBad = s.Trials
	}
	if r.Bad() && len(s.Bad) < KeptBad {
		s.Bad = append(s.Bad, r)
	}
	if r.Bad() {
		s.addWay(r)
	}
}

// addTime keeps one of as many times as it must to stay within MostTimes.
func (s *Summary) addTime(micros int64) {
	if (s.Trials-1)%s.every != 0 {
		return
	}
	if len(s.Micros) == MostTimes {
		for i := range MostTimes / 2 {
			s.Micros[i] = s.Micros[2*i]
		}
		s.Micros, s.every = s.Micros[:MostTimes/2], 2*s.every
	}
	s.Micros = append(s.Micros, micros)
}

func (s *Summary) damaged(format string, args ...any) {
	if s.Damage == "" {
		s.Damage = fmt.Sprintf(format, args...)
	}
}

// FailedChecks are the checks that did not hold.
func (s *Summary) FailedChecks() []Check {
	var failed []Check
	for _, c := range s.Checks {
		if !c.OK {
			failed = append(failed, c)
		}
	}
	return failed
}

// BadTrials is how many trials were not ok.
func (s *Summary) BadTrials() int { return s.Trials - s.Counts[OK] }
