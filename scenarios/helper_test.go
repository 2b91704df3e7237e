package scenarios

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/reapcheck/reapcheck/harness/dialect"
	"github.com/reapcheck/reapcheck/harness/session"
	"github.com/reapcheck/reapcheck/harness/target"
	"github.com/reapcheck/reapcheck/harness/trial"
)

// A target may have a process of its own that lasts. It is nothing that a command
// has left behind, and no command ends it.
func TestAHelperOfTheTargetIsNobodysFault(t *testing.T) {
	builds := daemons(t)
	binary, err := filepath.Abs(builds[target.Ordinary])
	if err != nil {
		t.Fatal(err)
	}
	helped := filepath.Join(t.TempDir(), "helped")
	script := fmt.Sprintf("#!/bin/sh\nsleep 3600 >/dev/null 2>&1 &\nexec %s\n", binary)
	if err := os.WriteFile(helped, []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	s := &session.Session{
		Runtime: newRuntime(t), Folder: t.TempDir(), Seed: 1,
		Scale:   session.Scale{Tier: session.Quick},
		Daemons: builds, Hub: newHub(t), BlackBox: true, Progress: &session.Progress{},
		Candidate: target.Target{Binary: helped, Dialect: dialect.ProcessExecute(),
			Env: map[string]string{"DECK_STRATEGY": "registry"}},
	}
	for _, id := range []string{"hang-up", "held-stdout", "long-and-short", "orphan-storm",
		"pressure", "timeout-group"} {
		t.Run(id, func(t *testing.T) {
			t.Parallel()
			e := plans[id](s)
			e.Scenario = id
			finding, err := s.Run(t.Context(), e)
			if err != nil || finding.Verdict != trial.Pass {
				t.Errorf("%v: %s, %v", finding.Verdict, finding.Reason, err)
			}
		})
	}
}
