package machine

import (
	"os/exec"
	"testing"
)

// A machine that runs these tests can do both, unless someone forbids it; then the
// reason is said.
func TestDoctorTriesWhatItPromises(t *testing.T) {
	checks := append(checkTracer(t.Context()), checkListener())
	if _, err := exec.LookPath("strace"); err == nil && len(checks) != 2 {
		t.Errorf("%d checks, want two where there is strace", len(checks))
	}
	for _, c := range checks {
		if c.Detail == "" || !c.OK && c.Advice == "" {
			t.Errorf("%+v", c)
		}
		t.Logf("%+v", c)
	}
}
