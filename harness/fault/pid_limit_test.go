package fault

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

func TestPIDLimitComesAndGoesWithTheBursts(t *testing.T) {
	sb := &counter{}
	injected, perTrial := arm(t, PIDLimit{Spare: 3, Burst: 2}, sb)
	// Of the second and the fourth burst one command each did not start; in the
	// first and third nothing that fails is the fault's doing.
	for i, said := range []string{"a", "", "c", "", "", "f", "", "h"} {
		perTrial.Before(t.Context())
		perTrial.After(said)
		if under := (PIDLimit{Burst: 2}).Under(i); under != (i/2 == 1 || i/2 == 3) {
			t.Errorf("trial %d under the limit: %v", i, under)
		}
	}
	if want := []string{"limit 3", "free", "limit 3"}; !slices.Equal(sb.asked, want) {
		t.Errorf("asked for %q, want %q", sb.asked, want)
	}
	if hits, note, err := injected.Hits(t.Context()); hits != 2 || note != "" || err != nil {
		t.Errorf("%d hits, note %q, error %v", hits, note, err)
	}
	if err := injected.Undo(t.Context()); err != nil || sb.asked[len(sb.asked)-1] != "free" {
		t.Errorf("undone by %q, error %v", sb.asked, err)
	}
}

func TestPIDLimitThatCannotBeSetVoidsTheHitsUnlessTheTargetHasDied(t *testing.T) {
	diesSoon(t)
	for _, dead := range []bool{false, true} {
		sb := &counter{done: make(chan struct{})}
		if dead {
			close(sb.done)
		}
		injected, perTrial := arm(t, PIDLimit{Spare: 3, Burst: 1}, sb)
		sb.err = errors.New("no such group")
		perTrial.Before(t.Context())
		perTrial.Before(t.Context())
		_, note, _ := injected.Hits(t.Context())
		if dead != (note == "") || !dead && !strings.Contains(note, "no such group") {
			t.Errorf("dead: %v, note %q", dead, note)
		}
		if err := injected.Undo(t.Context()); dead != (err == nil) {
			t.Errorf("dead: %v, undone with %v", dead, err)
		}
	}
}
