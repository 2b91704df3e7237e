package scenarios

import (
	"testing"

	"github.com/reapcheck/reapcheck/harness/sandbox/namespace"
	"github.com/reapcheck/reapcheck/harness/session"
)

// A tier's name promises a number of trials, whatever else a scenario is tuned for.
func TestTiersHaveTheTrialsThatTheyPromise(t *testing.T) {
	for tier, promised := range map[session.Tier]int{session.Quick: 10_000, session.Standard: 100_000} {
		for _, access := range []Access{Inside, Outside} {
			s := &session.Session{
				Runtime: namespace.New(""), Scale: session.Scale{Tier: tier}, BlackBox: access == Outside,
			}
			chosen, err := Select(nil, access)
			if err != nil {
				t.Fatal(err)
			}
			total := 0
			for _, c := range chosen {
				for _, arm := range plans[c.ID](s).Arms {
					if !arm.UntilShown { // which may be over after one
						total += arm.Trials
					}
				}
			}
			if total < promised {
				t.Errorf("tier %s, access %d: %d trials, at least %d promised", tier, access, total, promised)
			}
			t.Logf("tier %s, access %d: %d trials", tier, access, total)
		}
	}
}
