package session

import (
	"context"
	"errors"
	"testing"

	"github.com/reapcheck/reapcheck/harness/trial"
)

func TestSampleIsWhatTheReferenceWrites(t *testing.T) {
	s := newSession(t, &fakeRuntime{})
	output, err := s.Sample(t.Context(), "echo abc; exit 0")
	if err != nil || string(output) != "abc\n" {
		t.Errorf("%q, %v", output, err)
	}
	if output, err = s.Sample(t.Context(), "echo abc; exit 1"); err == nil {
		t.Errorf("of a script that fails: %q", output)
	}
}

// Nothing is judged by what could not be found out.
func TestAnExperimentThatCannotBePreparedIsNotRun(t *testing.T) {
	rt := &fakeRuntime{}
	s := newSession(t, rt)
	e := experiment(nil)
	broken := errors.New("nobody to ask")
	e.Prepare = func(context.Context) error { return broken }
	f, err := s.Run(t.Context(), e)
	if !errors.Is(err, broken) || f.Verdict == trial.Pass || rt.dialled.Load() != 0 {
		t.Errorf("verdict %v, error %v, %d connections", f.Verdict, err, rt.dialled.Load())
	}
}
