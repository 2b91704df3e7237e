package fault

import (
	"context"
	"errors"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/reapcheck/reapcheck/harness/sandbox"
)

// freezable is a sandbox that says when it is frozen and thawed.
type freezable struct {
	sandbox.Sandbox
	done   chan struct{}
	frozen chan bool

	mu  sync.Mutex
	err error
}

func newFreezable() *freezable {
	return &freezable{done: make(chan struct{}), frozen: make(chan bool, 1000)}
}

func (f *freezable) PID() int              { return os.Getpid() }
func (f *freezable) Done() <-chan struct{} { return f.done }

func (f *freezable) Freeze(context.Context) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.err == nil {
		f.frozen <- true
	}
	return f.err
}

func (f *freezable) Thaw(context.Context) error {
	f.frozen <- false
	return nil
}

func (f *freezable) fail(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.err = err
}

// injectInTrial arms and begins a trial.
func (f Freeze) injectInTrial(t *testing.T, sb sandbox.Sandbox) *freezing {
	t.Helper()
	injected, err := f.Inject(t.Context(), sb)
	if err != nil {
		t.Fatal(err)
	}
	injected.(PerTrial).Before(t.Context())
	return injected.(*freezing)
}

func TestFreezeComesAgainUntilTheTrialIsAnswered(t *testing.T) {
	sb := newFreezable()
	injected := Freeze{For: time.Millisecond, Every: time.Millisecond}.injectInTrial(t, sb)
	for i := range 6 {
		if state := <-sb.frozen; state != (i%2 == 0) {
			t.Fatalf("change %d: frozen %v", i, state)
		}
	}
	injected.After("")
	if err := injected.Undo(t.Context()); err != nil {
		t.Fatal(err)
	}
	if hits, note, err := injected.Hits(t.Context()); hits != 1 || note != "" || err != nil {
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
	sb := newFreezable()
	injected := Freeze{For: time.Hour, Every: time.Millisecond}.injectInTrial(t, sb)
	<-sb.frozen
	injected.After("")
	injected.Before(t.Context())
	if len(sb.frozen) == 0 || <-sb.frozen {
		t.Error("it is still frozen")
	}
	injected.Undo(t.Context())
}

func TestFreezeIsForTrialsAlone(t *testing.T) {
	sb := newFreezable()
	injected, err := Freeze{For: time.Millisecond, Every: time.Nanosecond}.Inject(t.Context(), sb)
	if err != nil {
		t.Fatal(err)
	}
	injected.Undo(t.Context())
	if hits, _, _ := injected.Hits(t.Context()); hits != 0 || len(sb.frozen) != 0 {
		t.Errorf("%d hits, %d changes", hits, len(sb.frozen))
	}
}

func TestATrialThatIsAnsweredBeforeItsFreezeIsNoHit(t *testing.T) {
	sb := newFreezable()
	injected := Freeze{For: time.Millisecond, Every: time.Hour}.injectInTrial(t, sb)
	injected.After("")
	injected.Before(t.Context())
	injected.After("")
	injected.Undo(t.Context())
	if hits, _, _ := injected.Hits(t.Context()); hits != 0 || len(sb.frozen) != 0 {
		t.Errorf("%d hits, %d changes", hits, len(sb.frozen))
	}
}

// A long freeze ends with the arm.
func TestFreezeIsThawedWhenItIsUndone(t *testing.T) {
	sb := newFreezable()
	injected := Freeze{For: time.Hour, Every: time.Millisecond}.injectInTrial(t, sb)
	<-sb.frozen
	injected.Undo(t.Context())
	if len(sb.frozen) != 1 || <-sb.frozen {
		t.Error("it was left frozen")
	}
	injected.Before(t.Context()) // and nobody waits for it any more
}

// deafFreezer answers no call to thaw.
type deafFreezer struct{ *freezable }

func (d deafFreezer) Thaw(context.Context) error { select {} }

func TestFreezeOfWhatDoesNotThawEndsWithItsContext(t *testing.T) {
	sb := deafFreezer{newFreezable()}
	injected := Freeze{For: time.Millisecond, Every: time.Millisecond}.injectInTrial(t, sb)
	<-sb.frozen
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := injected.Undo(ctx); !errors.Is(err, context.DeadlineExceeded) ||
		!strings.Contains(err.Error(), "thaw expected") {
		t.Errorf("undone: %v", err)
	}
}

func TestFreezeThatFailsVoidsTheHitsUnlessTheTargetHasDied(t *testing.T) {
	diesSoon(t)
	for _, dead := range []bool{false, true} {
		sb := newFreezable()
		sb.fail(errors.New("no such group"))
		injected := Freeze{For: time.Millisecond, Every: 20 * time.Millisecond}.injectInTrial(t, sb)
		if dead {
			close(sb.done)
		}
		<-injected.over
		if _, note, _ := injected.Hits(t.Context()); dead != (note == "") || !dead &&
			!strings.Contains(note, "no such group") {
			t.Errorf("dead: %v, note %q", dead, note)
		}
	}
}

// stuckFreezer stays as it is.
type stuckFreezer struct{ *freezable }

func (s stuckFreezer) Thaw(context.Context) error { return errors.New("still paused") }

func TestWhatIsNotThawedIsNotUndone(t *testing.T) {
	diesSoon(t)
	injected := Freeze{
		For:   time.Millisecond,
		Every: time.Millisecond,
	}.injectInTrial(t, stuckFreezer{newFreezable()})
	<-injected.over
	if err := injected.Undo(t.Context()); err == nil ||
		!strings.Contains(err.Error(), "still paused") {
		t.Errorf("undone: %v", err)
	}
}

func TestWhatCannotBeFrozenDeclines(t *testing.T) {
	if _, err := (Freeze{}).Inject(t.Context(), &shell{}); !errors.Is(err, ErrDeclined) {
		t.Errorf("freeze: %v", err)
	}
	if _, err := (Quota{}).Inject(t.Context(), &shell{}); !errors.Is(err, ErrDeclined) {
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

func (s *sharing) PID() int              { return os.Getpid() }
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
	injected, err := Quota{Share: 0.2}.Inject(t.Context(), sb)
	if err != nil || sb.share != 0.2 {
		t.Fatalf("share %v, error %v", sb.share, err)
	}
	if hits, note, err := injected.Hits(t.Context()); hits != 0 || note != "" || err != nil {
		t.Errorf("before: %d hits, note %q, error %v", hits, note, err)
	}
	sb.n = 7
	if hits, _, _ := injected.Hits(t.Context()); hits != 7 {
		t.Errorf("%d hits", hits)
	}
	if err := injected.Undo(t.Context()); err != nil || sb.share != 0 {
		t.Errorf("share %v after the end, error %v", sb.share, err)
	}
}

func TestQuotaDeclinesWhereItCannotBeSetAndIsSilentOnTheDead(t *testing.T) {
	diesSoon(t)
	sb := &sharing{done: make(chan struct{}), err: errors.New("permission denied")}
	if _, err := (Quota{Share: 0.2}).Inject(t.Context(), sb); !errors.Is(err, ErrDeclined) ||
		!strings.Contains(err.Error(), "permission denied") {
		t.Errorf("injected: %v", err)
	}
	injected := throttling{sb, sb}
	if _, _, err := injected.Hits(t.Context()); err == nil {
		t.Error("hits of what cannot be counted")
	}
	close(sb.done)
	if _, _, err := injected.Hits(t.Context()); err != nil {
		t.Errorf("of a target that has died: %v", err)
	}
	if err := injected.Undo(t.Context()); err != nil {
		t.Errorf("of a target that has died: %v", err)
	}
}
