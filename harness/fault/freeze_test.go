package fault

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/reapcheck/reapcheck/harness/sandbox"
)

// freezing is a sandbox that says when it is frozen and thawed.
type freezing struct {
	sandbox.Sandbox
	done   chan struct{}
	frozen chan bool

	mu  sync.Mutex
	err error
}

func newFreezing() *freezing {
	return &freezing{done: make(chan struct{}), frozen: make(chan bool, 1000)}
}

func (f *freezing) Done() <-chan struct{} { return f.done }

func (f *freezing) Freeze(context.Context) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.err == nil {
		f.frozen <- true
	}
	return f.err
}

func (f *freezing) Thaw(context.Context) error {
	f.frozen <- false
	return nil
}

func (f *freezing) fail(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.err = err
}

// armInTrial arms and begins a trial.
func (f Freeze) armInTrial(t *testing.T, sb sandbox.Sandbox) *armedFreeze {
	t.Helper()
	armed, err := f.Arm(t.Context(), sb)
	if err != nil {
		t.Fatal(err)
	}
	armed.(Steering).Before(t.Context())
	return armed.(*armedFreeze)
}

func TestFreezeComesAgainUntilTheTrialIsAnswered(t *testing.T) {
	sb := newFreezing()
	armed := Freeze{For: time.Millisecond, Every: time.Millisecond}.armInTrial(t, sb)
	for i := range 6 {
		if state := <-sb.frozen; state != (i%2 == 0) {
			t.Fatalf("change %d: frozen %v", i, state)
		}
	}
	armed.After("")
	if err := armed.Disarm(t.Context()); err != nil {
		t.Fatal(err)
	}
	if hits, note, err := armed.Hits(t.Context()); hits != 1 || note != "" || err != nil {
		t.Errorf("%d hits in one trial, note %q, error %v", hits, note, err)
	}
	last := false
	for len(sb.frozen) > 0 {
		last = <-sb.frozen
	}
	if last {
		t.Error("it was left frozen")
	}
}

func TestTheNextTrialBeginsWhenTheLastIsThawed(t *testing.T) {
	sb := newFreezing()
	armed := Freeze{For: time.Hour, Every: time.Millisecond}.armInTrial(t, sb)
	<-sb.frozen
	armed.After("")
	armed.Before(t.Context())
	if len(sb.frozen) == 0 || <-sb.frozen {
		t.Error("it is still frozen")
	}
	armed.Disarm(t.Context())
}

func TestFreezeIsForTrialsAlone(t *testing.T) {
	sb := newFreezing()
	armed, err := Freeze{For: time.Millisecond, Every: time.Nanosecond}.Arm(t.Context(), sb)
	if err != nil {
		t.Fatal(err)
	}
	armed.Disarm(t.Context())
	if hits, _, _ := armed.Hits(t.Context()); hits != 0 || len(sb.frozen) != 0 {
		t.Errorf("%d hits, %d changes", hits, len(sb.frozen))
	}
}

func TestATrialThatIsAnsweredBeforeItsFreezeIsNoHit(t *testing.T) {
	sb := newFreezing()
	armed := Freeze{For: time.Millisecond, Every: time.Hour}.armInTrial(t, sb)
	armed.After("")
	armed.Before(t.Context())
	armed.After("")
	armed.Disarm(t.Context())
	if hits, _, _ := armed.Hits(t.Context()); hits != 0 || len(sb.frozen) != 0 {
		t.Errorf("%d hits, %d changes", hits, len(sb.frozen))
	}
}

// A long freeze ends with the arm.
func TestFreezeIsThawedWhenItIsDisarmed(t *testing.T) {
	sb := newFreezing()
	armed := Freeze{For: time.Hour, Every: time.Millisecond}.armInTrial(t, sb)
	<-sb.frozen
	armed.Disarm(t.Context())
	if len(sb.frozen) != 1 || <-sb.frozen {
		t.Error("it was left frozen")
	}
	armed.Before(t.Context()) // and nobody waits for it any more
}

// deafFreezer answers no call to thaw.
type deafFreezer struct{ *freezing }

func (d deafFreezer) Thaw(context.Context) error { select {} }

func TestFreezeOfWhatDoesNotThawEndsWithItsContext(t *testing.T) {
	sb := deafFreezer{newFreezing()}
	armed := Freeze{For: time.Millisecond, Every: time.Millisecond}.armInTrial(t, sb)
	<-sb.frozen
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := armed.Disarm(ctx); !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "thaw expected") {
		t.Errorf("disarmed: %v", err)
	}
}

func TestFreezeThatFailsVoidsTheHitsUnlessTheTargetHasDied(t *testing.T) {
	for _, dead := range []bool{false, true} {
		sb := newFreezing()
		sb.fail(errors.New("no such group"))
		armed := Freeze{For: time.Millisecond, Every: 20 * time.Millisecond}.armInTrial(t, sb)
		if dead {
			close(sb.done)
		}
		<-armed.over
		if _, note, _ := armed.Hits(t.Context()); dead != (note == "") || !dead && !strings.Contains(note, "no such group") {
			t.Errorf("dead: %v, note %q", dead, note)
		}
	}
}

// stuckFreezer stays as it is.
type stuckFreezer struct{ *freezing }

func (s stuckFreezer) Thaw(context.Context) error { return errors.New("still paused") }

func TestWhatIsNotThawedIsNotUndone(t *testing.T) {
	armed := Freeze{For: time.Millisecond, Every: time.Millisecond}.armInTrial(t, stuckFreezer{newFreezing()})
	<-armed.over
	if err := armed.Disarm(t.Context()); err == nil || !strings.Contains(err.Error(), "still paused") {
		t.Errorf("disarmed: %v", err)
	}
}

func TestWhatCannotBeFrozenDeclines(t *testing.T) {
	if _, err := (Freeze{}).Arm(t.Context(), &shell{}); !errors.Is(err, ErrDeclined) {
		t.Errorf("freeze: %v", err)
	}
	if _, err := (Quota{}).Arm(t.Context(), &shell{}); !errors.Is(err, ErrDeclined) {
		t.Errorf("quota: %v", err)
	}
}

// sharing is a sandbox that is throttled as often as it is told.
type sharing struct {
	sandbox.Sandbox
	share float64
	n     int64
	err   error
	done  chan struct{}
}

func (s *sharing) Done() <-chan struct{} { return s.done }
func (s *sharing) LimitCPU(_ context.Context, share float64) error {
	s.share = share
	return s.err
}
func (s *sharing) Throttled() (int64, error) { return s.n, s.err }
func (s *sharing) FreeCPU(context.Context) error {
	s.share = 0
	return s.err
}

func TestQuotaHitsAsOftenAsTheKernelThrottles(t *testing.T) {
	sb := &sharing{done: make(chan struct{})}
	armed, err := Quota{Share: 0.2}.Arm(t.Context(), sb)
	if err != nil || sb.share != 0.2 {
		t.Fatalf("share %v, error %v", sb.share, err)
	}
	if hits, note, err := armed.Hits(t.Context()); hits != 0 || note != "" || err != nil {
		t.Errorf("before: %d hits, note %q, error %v", hits, note, err)
	}
	sb.n = 7
	if hits, _, _ := armed.Hits(t.Context()); hits != 7 {
		t.Errorf("%d hits", hits)
	}
	if err := armed.Disarm(t.Context()); err != nil || sb.share != 0 {
		t.Errorf("share %v after the end, error %v", sb.share, err)
	}
}

func TestQuotaDeclinesWhereItCannotBeSetAndIsSilentOnTheDead(t *testing.T) {
	sb := &sharing{done: make(chan struct{}), err: errors.New("permission denied")}
	if _, err := (Quota{Share: 0.2}).Arm(t.Context(), sb); !errors.Is(err, ErrDeclined) || !strings.Contains(err.Error(), "permission denied") {
		t.Errorf("armed: %v", err)
	}
	armed := armedQuota{sb, sb.done}
	if _, _, err := armed.Hits(t.Context()); err == nil {
		t.Error("hits of what cannot be counted")
	}
	close(sb.done)
	if _, _, err := armed.Hits(t.Context()); err != nil {
		t.Errorf("of a target that has died: %v", err)
	}
	if err := armed.Disarm(t.Context()); err != nil {
		t.Errorf("of a target that has died: %v", err)
	}
}
