package report

import (
	"encoding/xml"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/reapcheck/reapcheck/harness/results"
	"github.com/reapcheck/reapcheck/harness/trial"
)

func junitOf(t *testing.T, run results.Run) junitSuite {
	t.Helper()
	text, err := JUnit(run)
	if err != nil {
		t.Fatal(err)
	}
	var suites junitSuites
	if err := xml.Unmarshal(text, &suites); err != nil {
		t.Fatal(err)
	}
	return suites.Suite
}

func TestJUnitOfAFailure(t *testing.T) {
	s := junitOf(t, failRun(t))
	if s.Tests != 2 || s.Failures != 2 || s.Errors != 0 {
		t.Errorf("%d tests, %d failures, %d errors", s.Tests, s.Failures, s.Errors)
	}
	c := s.Cases[0]
	if c.Failure == nil || !strings.Contains(c.Failure.Text, "repeat with: ") || !strings.Contains(c.Failure.Text, "trial 0: lost") {
		t.Errorf("%+v", c.Failure)
	}
	found := false
	for _, p := range c.Properties {
		found = found || p == junitProperty{"candidate-300ms.lost", "5"}
	}
	if !found {
		t.Error("the counts are not there")
	}
}

// A viewer that counts failures and errors must show red for every run that is
// not a pass.
func TestJUnitNeverHidesAnInconclusiveRun(t *testing.T) {
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("../results/testdata/pass")); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(filepath.Join(dir, "late-publish")); err != nil {
		t.Fatal(err)
	}
	cut, err := results.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	whole, err := results.Load("../results/testdata/pass")
	if err != nil {
		t.Fatal(err)
	}
	stopped := whole
	stopped.Info.Problem = "interrupted"
	for name, c := range map[string]struct {
		run    results.Run
		errors int
	}{"whole": {whole, 0}, "cut": {cut, 1}, "stopped": {stopped, 1}, "empty": {results.Run{}, 1}} {
		if s := junitOf(t, c.run); s.Errors != c.errors || s.Failures != 0 || s.Tests != len(s.Cases) {
			t.Errorf("%s: %d errors, %d failures, %d tests", name, s.Errors, s.Failures, s.Tests)
		}
	}
	if cut.Verdict != trial.Inconclusive {
		t.Errorf("a cut run is %v", cut.Verdict)
	}
}
