package scenarios

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/reapcheck/reapcheck/harness/probe"
	"github.com/reapcheck/reapcheck/harness/session"
)

// A sampler that stopped early has not seen the highest, and says so.
func TestSamplesThatAreTooFew(t *testing.T) {
	broken := errors.New("permission denied")
	for _, c := range []struct {
		name  string
		looks int // that see three files; the next one fails, or sees none
		err   error
		want  error
	}{
		{"a look that fails", leastSamples + 1, broken, broken},
		{"a look that finds nothing", leastSamples + 1, nil, session.ErrUndecided},
	} {
		n := 0
		s := sample(t.Context(), files, func() (probe.Process, error) {
			if n++; n <= c.looks {
				return probe.Process{Inner: 1, Files: 3}, nil
			}
			return probe.Process{Inner: 1}, c.err
		})
		if err := s.enough(files); s.highest != 3 || !errors.Is(err, c.want) {
			t.Errorf("%s: %+v, %v", c.name, s, err)
		}
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	once := sample(ended, files, func() (probe.Process, error) { return probe.Process{Inner: 1, Files: 3}, nil })
	if err := once.enough(files); !errors.Is(err, session.ErrUndecided) || !strings.Contains(err.Error(), "1 looks") {
		t.Errorf("one look: %v", err)
	}
	if err := (samples{number: leastSamples}).enough(files); err != nil {
		t.Error(err)
	}
}
