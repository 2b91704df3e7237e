package fault

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/reapcheck/reapcheck/harness/sandbox"
)

// counter is a sandbox that remembers how its process IDs were set.
type counter struct {
	sandbox.Sandbox
	asked []string
	err   error
	done  chan struct{}
}

func (c *counter) PID() int              { return os.Getpid() }
func (c *counter) Done() <-chan struct{} { return c.done }

func (*counter) LeavePIDs() {}

func (c *counter) SetNextPID(_ context.Context, pid int) error {
	c.asked = append(c.asked, fmt.Sprint("next ", pid))
	return c.err
}

func (c *counter) LimitPIDs(_ context.Context, spare int) error {
	c.asked = append(c.asked, fmt.Sprint("limit ", spare))
	return c.err
}

func (c *counter) FreePIDs(context.Context) error {
	c.asked = append(c.asked, "free")
	return c.err
}

// arm returns the fault at work, with what its arming asked for forgotten.
func arm(t *testing.T, f Fault, c *counter) (Injection, PerTrial) {
	t.Helper()
	injected, err := f.Inject(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	c.asked = nil
	return injected, injected.(PerTrial)
}

func TestNextPIDFollowsWhatCommandsSay(t *testing.T) {
	// Numbers that no one has here, or Before would wait for their owners.
	const first, other = firstPID, 1 << 22
	for _, c := range []struct {
		name  string
		said  []string
		asked []int
		hits  int64
	}{
		{"each leaves its own number", []string{"x 1000 1000", "x 1000 1000"}, []int{first, first},
			1},
		{"one leaves another's", []string{fmt.Sprint("x 1000 ", other),
			fmt.Sprintf("x %d 7", other)}, []int{first, other}, 1},
		{"one that wrote nothing", []string{"x 1000 1000", "", "x 1000 1000"},
			[]int{first, first, first}, 1},
		{"the first one is nobody's", []string{"x 1000 1000"}, []int{first}, 0},
		{"a helper comes first", []string{"x 1001 1001", "x 1001 1001"}, []int{first, first}, 1},
		{"far off", []string{"x 1500 1000", "x 1000 1000"}, []int{first, first}, 1},
		{"words", []string{"x 1000 1000", "x y z", "x 1000 1000"}, []int{first, first, first}, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			sb := &counter{}
			injected, perTrial := arm(t, All{NextPID{}}, sb)
			var want []string
			for i, said := range c.said {
				perTrial.Before(t.Context())
				perTrial.After(said)
				want = append(want, fmt.Sprint("next ", c.asked[i]))
			}
			hits, note, err := injected.Hits(t.Context())
			if !slices.Equal(sb.asked, want) || hits != c.hits || note != "" || err != nil {
				t.Errorf("asked for %q, want %q; %d hits, want %d; note %q, error %v", sb.asked,
					want, hits, c.hits, note, err)
			}
		})
	}
}

func TestNextPIDThatCannotBeSetVoidsTheHits(t *testing.T) {
	diesSoon(t)
	sb := &counter{}
	injected, perTrial := arm(t, NextPID{}, sb)
	sb.err = errors.New("not root any more")
	perTrial.Before(t.Context())
	if _, note, _ := injected.Hits(t.Context()); !strings.Contains(note, "not root") {
		t.Errorf("note %q", note)
	}
}

func TestFaultsDeclineASandboxWithoutPIDs(t *testing.T) {
	for _, f := range []Fault{NextPID{}, PIDLimit{Spare: 1, Burst: 1}} {
		if _, err := f.Inject(t.Context(), &shell{}); !errors.Is(err, ErrDeclined) {
			t.Errorf("%s: %v", f.Name(), err)
		}
		sb := &counter{err: errors.New("root is needed")}
		if _, err := f.Inject(t.Context(), sb); !errors.Is(err, ErrDeclined) ||
			!strings.Contains(err.Error(), "root is needed") {
			t.Errorf("%s: %v", f.Name(), err)
		}
	}
}

// The end of a target ends the shell in it too, and is the finding.
func TestAPIDThatCannotBeSetVoidsTheHitsUnlessTheTargetHasDied(t *testing.T) {
	diesSoon(t)
	for _, dead := range []bool{false, true} {
		sb := &counter{done: make(chan struct{})}
		injected, perTrial := arm(t, All{NextPID{}}, sb)
		sb.err = errors.New("broken pipe")
		if dead {
			close(sb.done)
		}
		perTrial.Before(t.Context())
		if _, note, _ := injected.Hits(t.Context()); dead != (note == "") || !dead &&
			!strings.Contains(note, "broken pipe") {
			t.Errorf("dead: %v, note %q", dead, note)
		}
	}
}
