package results

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/reapcheck/reapcheck/harness/trial"
)

// A folder that was copied in parts, or mended by hand, is not a run.
func TestAMixtureOfRecordingsIsNoPass(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(dir string) error
		says  string
	}{
		"a control is missing": {func(dir string) error {
			return os.Remove(filepath.Join(dir, "documented-1s.jsonl"))
		}, "the recording of documented-1s is missing"},
		"a candidate is missing": {func(dir string) error {
			return os.Remove(filepath.Join(dir, "candidate-1s.jsonl"))
		}, "the recording of candidate-1s is missing"},
		"one stands for another": {func(dir string) error {
			raw, err := os.ReadFile(filepath.Join(dir, "candidate-0s.jsonl"))
			return errors.Join(err, os.WriteFile(filepath.Join(dir, "candidate-1s.jsonl"), raw, 0o644))
		}, "late-publish/candidate-1s.jsonl is the recording of late-publish/candidate-0s"},
		"one is of another run": {func(dir string) error {
			return rewrite(filepath.Join(dir, "candidate-1s.jsonl"), `"run":"pass"`, `"run":"fail"`)
		}, `late-publish/candidate-1s.jsonl was recorded in another run, "fail"`},
		"one is of another scenario": {func(dir string) error {
			return rewrite(filepath.Join(dir, "candidate-1s.jsonl"), `"scenario":"late-publish"`, `"scenario":"storm"`)
		}, "late-publish/candidate-1s.jsonl is the recording of storm/candidate-1s"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.CopyFS(dir, os.DirFS("testdata/pass")); err != nil {
				t.Fatal(err)
			}
			if err := c.spoil(filepath.Join(dir, "late-publish")); err != nil {
				t.Fatal(err)
			}
			run, err := Load(dir)
			if err != nil {
				t.Fatal(err)
			}
			f := run.Findings[1]
			if run.Verdict != trial.Inconclusive || f.Verdict != trial.Inconclusive || f.Reason != c.says {
				t.Errorf("run %v, %s %v: %s", run.Verdict, f.ID, f.Verdict, f.Reason)
			}
		})
	}
}

func rewrite(path, old, text string) error {
	raw, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	return os.WriteFile(path, bytes.Replace(raw, []byte(old), []byte(text), 1), 0o644)
}
