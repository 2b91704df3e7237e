package session

import (
	"context"
	"testing"
)

// noting is a fault that has let somebody go at its limit.
type noting struct{}

func (noting) Hits(context.Context) (int64, string, error) { return 2, "let one go", nil }
func (noting) Undo(context.Context) error                  { return nil }

// A baseline that has shown its claim waits for the other arms, and what its fault holds is let
// go meanwhile.
func TestALimitThatIsMetAfterTheClaimWasShownIsNotTold(t *testing.T) {
	for _, shown := range []bool{false, true} {
		a := &runningArm{session: &Session{}, injected: noting{}}
		if shown {
			a.showing.note(1)
			a.showing.settleUncounted()
		}
		err, stuck := a.withdraw(t.Context())
		if err != nil || stuck != nil || a.last.FaultHits != 2 || (a.last.FaultNote == "") != shown {
			t.Errorf("shown %v: %d hits, note %q, %v, %v", shown, a.last.FaultHits, a.last.FaultNote, err, stuck)
		}
	}
}
