package session

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/reapcheck/reapcheck/harness/fault"
	"github.com/reapcheck/reapcheck/harness/sandbox"
	"github.com/reapcheck/reapcheck/harness/trial"
)

// noted is a fault that says when it comes and goes.
type noted struct {
	fakeFault
	armed, disarmed *int
}

func (n noted) Arm(context.Context, sandbox.Sandbox) (fault.Armed, error) {
	*n.armed++
	return n, nil
}

func (n noted) Disarm(context.Context) error {
	*n.disarmed++
	return nil
}

// Every fault is put into a target that is well, undone, and answered for: by
// the session, whatever the fault.
func TestHealthIsLookedAtBesideEveryFault(t *testing.T) {
	patient := healthLimit
	healthLimit = 50 * time.Millisecond
	defer func() { healthLimit = patient }()
	for _, c := range []struct {
		name            string
		wellFor         int32
		want            trial.Verdict
		reason          string
		armed, disarmed int
	}{
		{"well", 2, trial.Pass, "", 1, 1},
		{"ill after the fault", 1, trial.Fail, "health after the fault", 1, 1},
		{"ill before", -1, trial.Inconclusive, "before the fault", 0, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			var armed, disarmed int
			s := newSession(t, &fakeRuntime{wellFor: c.wellFor})
			e := experiment(nil)
			e.Arms[1].Fault = noted{fakeFault{hits: 1}, &armed, &disarmed}
			f, err := s.Run(t.Context(), e)
			if (err != nil) != (c.armed == 0) || err != nil && !errors.Is(err, sandbox.ErrTarget) {
				t.Errorf("error %v", err)
			}
			if said := fmt.Sprint(f.Reason, err); f.Verdict != c.want || !strings.Contains(said, c.reason) {
				t.Errorf("verdict %v (%s)", f.Verdict, said)
			}
			if armed != c.armed || disarmed != c.disarmed {
				t.Errorf("armed %d times, disarmed %d", armed, disarmed)
			}
		})
	}
}
