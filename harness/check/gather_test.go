package check

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/reapcheck/reapcheck/harness/session"
)

// A target is asked once, and one that says nothing is told of.
func TestGatheringAsks(t *testing.T) {
	for _, c := range []struct {
		says error
		ok   bool
	}{{nil, true}, {context.DeadlineExceeded, false}} {
		asked := 0
		g := &gathering{noMoreAfter: time.Second, ready: func(ctx context.Context) error {
			if _, limited := ctx.Deadline(); !limited {
				t.Error("asked without a limit")
			}
			asked++
			return c.says
		}}
		g.askOnce()
		g.askOnce()
		if asked != 1 || g.asked == nil || g.asked.OK != c.ok {
			t.Errorf("%v: asked %d times, %+v", c.says, asked, g.asked)
		}
	}
	g := &gathering{}
	if g.askOnce(); g.asked != nil {
		t.Errorf("a target that nothing can ask: %+v", g.asked)
	}
}

// Commands are ended once all have come, or none has come for long.
func TestGatheringIsComplete(t *testing.T) {
	g := &gathering{all: 3, noMoreAfter: 3 * time.Second}
	began := time.Now()
	for _, step := range []struct {
		after    time.Duration
		sleeping int
		complete bool
	}{
		{0, 0, false},
		{1 * time.Hour, 0, false}, // however long the first takes
		{1*time.Hour + 1*time.Second, 1, false},
		{1*time.Hour + 3*time.Second, 2, false},
		{1*time.Hour + 5*time.Second, 2, false},
		{1*time.Hour + 6*time.Second, 2, true}, // the target runs no more at a time
		{2 * time.Hour, 0, false},
		{2*time.Hour + 1*time.Second, 3, true},
	} {
		if complete := g.complete(step.sleeping, began.Add(step.after)); complete != step.complete {
			t.Errorf("%d that sleep after %v: complete is %v", step.sleeping, step.after, complete)
		}
	}
	if err := g.enough(2); err != nil {
		t.Error(err)
	}
	if err := g.enough(3); !errors.Is(err, session.ErrUndecided) {
		t.Errorf("no more than the slack slept at a time: %v", err)
	}
}
