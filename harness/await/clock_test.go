package await

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

func TestALimitIsPassedInAttendedTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		attended, stop := Attended(t.Context())
		ctx, cancel := Limit(attended, time.Second)
		defer cancel()
		began := time.Now()
		<-ctx.Done()
		took := time.Since(began)
		if took < time.Second || took > time.Second+2*beat ||
			!errors.Is(context.Cause(ctx), context.DeadlineExceeded) {
			t.Errorf("a second ended after %v, with cause %v", took, context.Cause(ctx))
		}
		stop()
		if attended.Err() != nil {
			t.Error("the context ended with its clock")
		}
	})
}

// A process that got no turn for ten minutes has missed no limit of a second.
func TestNoLimitIsPassedUnattended(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &clock{}
		ctx, cancel := Limit(context.WithValue(t.Context(), clockKey{}, c), time.Second)
		defer cancel()
		time.Sleep(10 * time.Minute)
		if ctx.Err() != nil {
			t.Fatal("the limit was passed while nobody looked")
		}
		c.beats(10 * time.Minute)
		time.Sleep(time.Second)
		if ctx.Err() != nil {
			t.Fatal("one late look passed the limit")
		}
		for range time.Second / beat {
			c.beats(beat)
		}
		time.Sleep(time.Second)
		if ctx.Err() == nil {
			t.Error("the limit was not passed")
		}
	})
}

func TestUntilKnowsTheClockOfItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &clock{}
		ctx := context.WithValue(t.Context(), clockKey{}, c)
		looks := 0
		err := Wait{For: "ten looks", Every: time.Minute, Limit: time.Second}.Until(ctx,
			func() (any, bool, error) {
				looks++
				return looks, looks == 10, nil
			})
		if err != nil || looks != 10 {
			t.Errorf("%d looks, %v", looks, err)
		}
	})
}

func TestWhoEndsALimitEarlyLeavesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		attended, stop := Attended(t.Context())
		ctx, cancel := Limit(attended, time.Hour)
		cancel()
		if cause := context.Cause(ctx); !errors.Is(cause, context.Canceled) {
			t.Errorf("cause %v", cause)
		}
		stop() // the bubble ends only when nothing is left in it
	})
}
