package await

import (
	"context"
	"errors"
	"testing"
	"time"
)

func TestUntilLooksUntilItIsSo(t *testing.T) {
	looks := 0
	err := Wait{For: "three looks", Every: time.Microsecond, Limit: time.Minute}.Until(t.Context(), func() (any, bool, error) {
		looks++
		return looks, looks == 3, nil
	})
	if err != nil || looks != 3 {
		t.Errorf("%d looks, %v", looks, err)
	}
}

func TestUntilSaysWhatItSawLast(t *testing.T) {
	err := Wait{For: "0 zombies", Every: time.Millisecond, Limit: 20 * time.Millisecond}.Until(t.Context(), func() (any, bool, error) {
		return 7, false, nil
	})
	if !errors.Is(err, ErrLimit) || err.Error() != "0 zombies expected within 20ms, last saw 7" {
		t.Errorf("got %v", err)
	}
}

func TestUntilEndsEarly(t *testing.T) {
	broken, enough := errors.New("broken"), errors.New("enough")
	over := make(chan struct{})
	close(over)
	cancelled, cancel := context.WithCancelCause(t.Context())
	cancel(enough)
	for name, c := range map[string]struct {
		ctx  context.Context
		over <-chan struct{}
		look error
		want error
	}{
		"a look fails":   {t.Context(), nil, broken, broken},
		"it is over":     {t.Context(), over, nil, ErrOver},
		"an interrupt":   {cancelled, nil, nil, enough},
		"a look, though": {cancelled, over, broken, broken},
	} {
		w := Wait{For: "nothing", Every: time.Hour, Limit: time.Hour, Over: c.over}
		err := w.Until(c.ctx, func() (any, bool, error) { return "nothing", false, c.look })
		if !errors.Is(err, c.want) || errors.Is(err, ErrLimit) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestPausesGrowWithTheWait(t *testing.T) {
	steady := Wait{Every: 5 * time.Millisecond}
	growing := Wait{Every: time.Millisecond, Slowest: 50 * time.Millisecond}
	for waited, want := range map[time.Duration]time.Duration{
		0:                      time.Millisecond,
		80 * time.Millisecond:  10 * time.Millisecond,
		100 * time.Second:      50 * time.Millisecond,
		4 * time.Millisecond:   time.Millisecond,
		400 * time.Millisecond: 50 * time.Millisecond,
	} {
		if got := growing.pause(waited); got != want {
			t.Errorf("after %v: %v, want %v", waited, got, want)
		}
		if got := steady.pause(waited); got != steady.Every {
			t.Errorf("after %v: %v", waited, got)
		}
	}
}
