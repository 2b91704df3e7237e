package session

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/reapcheck/reapcheck/harness/trial"
)

// A recording says how many checks it has, so that none can be taken out.
func TestTheEndCountsTheChecks(t *testing.T) {
	s := newSession(t, &fakeRuntime{})
	if f, err := s.Run(t.Context(), experiment(fakeFault{hits: 1})); err != nil ||
		f.Verdict != trial.Pass {
		t.Fatalf("%v: %s, %v", f.Verdict, f.Reason, err)
	}
	file, err := os.Open(filepath.Join(s.Folder, "storm", "candidate.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	arm, err := trial.Read(file)
	if err != nil || len(arm.Checks) != 2 || arm.End.Checks != 2 {
		t.Errorf("checks %v, the end says %d, %v", arm.Checks, arm.End.Checks, err)
	}
}
