package machine

import (
	"testing"

	"github.com/reapcheck/reapcheck/harness/sandbox"
)

// A machine that runs these tests can do both, unless someone forbids it; then the
// reason is said.
func TestDoctorTriesWhatItPromises(t *testing.T) {
	for _, c := range []sandbox.Check{checkTracer(t.Context()), checkListener()} {
		if c.Detail == "" || !c.OK && c.Advice == "" {
			t.Errorf("%+v", c)
		}
		t.Logf("%+v", c)
	}
}
