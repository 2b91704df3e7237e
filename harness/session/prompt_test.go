package session

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/reapcheck/reapcheck/harness/results"
	"github.com/reapcheck/reapcheck/harness/trial"
)

// A daemon that is late with one kind of command is not excused by another.
func TestEachKindHasItsQuickestAnswer(t *testing.T) {
	path := filepath.Join(t.TempDir(), "arm.jsonl")
	rec, err := results.NewRecorder(path, trial.Plan{})
	if err != nil {
		t.Fatal(err)
	}
	arm := runningArm{Arm: Arm{Prompt: time.Second}, session: &Session{}, recorder: rec}
	arm.quickest.note("child", trial.OK, 10*time.Second)
	arm.quickest.note("child", trial.OK, 9*time.Second)
	arm.quickest.note("hung", trial.Hung, time.Millisecond)
	arm.quickest.note("shell", trial.OK, 3*time.Second)
	arm.quickest.note("shell", trial.OK, time.Millisecond)
	arm.checkPrompt()
	if err := rec.Close(); err != nil {
		t.Fatal(err)
	}
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	s, err := trial.Read(file)
	if err != nil {
		t.Fatal(err)
	}
	want := []trial.Check{
		{Name: "quickest answer to child", Want: "within 1s", Got: "9s"},
		{Name: "quickest answer to shell", Want: "within 1s", Got: "1ms", OK: true},
	}
	if len(s.Checks) != 2 || s.Checks[0] != want[0] || s.Checks[1] != want[1] {
		t.Errorf("got %+v, want %+v", s.Checks, want)
	}
}
