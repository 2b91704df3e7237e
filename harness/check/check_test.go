package check

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/reapcheck/reapcheck/harness/probe"
	"github.com/reapcheck/reapcheck/harness/session"
)

// A sampler that stopped early has not seen the highest, and says so.
func TestSamplesThatAreTooFew(t *testing.T) {
	broken := errors.New("permission denied")
	for _, c := range []struct {
		name  string
		looks int // that see three files; the next one fails, or sees none
		err   error
		want  error
	}{
		{"a look that fails", leastSamples + 1, broken, broken},
		{"a look that finds nothing", leastSamples + 1, nil, session.ErrUndecided},
	} {
		n := 0
		s := sample(t.Context(), Files, func() (probe.Process, error) {
			if n++; n <= c.looks {
				return probe.Process{Inner: 1, Files: 3}, nil
			}
			return probe.Process{Inner: 1}, c.err
		})
		if err := s.enough(Files); s.highest != 3 || !errors.Is(err, c.want) {
			t.Errorf("%s: %+v, %v", c.name, s, err)
		}
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	once := sample(ended, Files, func() (probe.Process, error) {
		return probe.Process{Inner: 1, Files: 3}, nil
	})
	if err := once.enough(Files); !errors.Is(err, session.ErrUndecided) ||
		!strings.Contains(err.Error(), "1 looks") {
		t.Errorf("one look: %v", err)
	}
	if err := (samples{number: leastSamples}).enough(Files); err != nil {
		t.Error(err)
	}
}

// Who gets little of a busy machine's CPUs may spin all the same.
func TestRestIsWhatTheTargetLeavesUnused(t *testing.T) {
	for _, c := range []struct {
		name       string
		used, kept float64 // of the time that has passed
		limit      time.Duration
		ok         bool
		err        error
		wants      bool
		stands     bool // it does not run between looks
		pauses     bool // it wants no CPU at every fifth look
	}{
		{name: "spins and waits for its next turn", used: 0.03, kept: 0.2,
			limit: 500 * time.Millisecond, wants: true},
		{name: "waits for a single turn", limit: 500 * time.Millisecond, err: session.ErrUndecided,
			wants: true, stands: true},
		{name: "takes what it gets, and is seen without a wish now and then", used: 0.05, kept: 0.95,
			limit: 500 * time.Millisecond, wants: true, pauses: true},
		{name: "hardly runs, and waits for it", used: 0.002, kept: 0.9,
			limit: 500 * time.Millisecond, err: session.ErrUndecided, wants: true, pauses: true},
		{name: "rests", used: 0.01, limit: time.Hour, ok: true},
		{name: "rests on a busy machine", used: 0.01, kept: 0.6, limit: time.Hour, ok: true},
		{name: "spins", used: 1, limit: time.Hour},
		{name: "spins on a busy machine", used: 0.3, kept: 0.7, limit: time.Hour},
		{name: "spins and gets next to nothing", used: 0.05, kept: 0.95,
			limit: 500 * time.Millisecond, err: session.ErrUndecided},
		{name: "has threads that wait for each other's CPU", used: 0.05, kept: 4,
			limit: 500 * time.Millisecond, err: session.ErrUndecided},
	} {
		began, looks := time.Now(), 0
		checks, err := atRest{window: 20 * time.Millisecond, limit: c.limit}.look(t.Context(),
			func() (cpuTime, error) {
				over := float64(time.Since(began))
				looks++
				now := cpuTime{used: time.Duration(c.used * over),
					wants: c.wants && !(c.pauses && looks%5 == 0)}
				if !c.stands {
					now.Share = probe.Share{Ran: now.used, Kept: time.Duration(c.kept * over)}
				}
				return now, nil
			})
		if !errors.Is(err, c.err) || err == nil && checks[0].OK != c.ok {
			t.Errorf("%s: %v, %v", c.name, checks, err)
		}
	}
}

// A polling target was taken for one that rests by two looks with a second between
// them.
func TestALookTellsOfLittleTime(t *testing.T) {
	const most = 200 * time.Millisecond
	r := resting{most: most}
	r.add(cpuTime{}, time.Second)
	if r.free != most {
		t.Errorf("free for %v of a second without a look", r.free)
	}
	r.add(cpuTime{wants: true}, time.Second+most)
	r.add(cpuTime{Share: probe.Share{Kept: time.Second}}, time.Second+2*most)
	if r.free != most {
		t.Errorf("free for %v, with a wait for a CPU", r.free)
	}
}
