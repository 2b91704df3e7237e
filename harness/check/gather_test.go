package check

import (
	"errors"
	"testing"
	"time"

	"github.com/reapcheck/reapcheck/harness/session"
)

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
