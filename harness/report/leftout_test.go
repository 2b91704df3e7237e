package report

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/reapcheck/reapcheck/harness/results"
)

// Three scenarios of three are not all there are, and each report says so.
func TestEveryReportSaysWhatWasLeftOut(t *testing.T) {
	dir := t.TempDir()
	run, err := results.Load("../results/testdata/pass")
	run.Info.LeftOut = []results.LeftOut{{ID: "storm", Why: "not named by --only"}, {ID: "leaks", Why: "named by --skip"}, {ID: "frozen", Why: "not named by --only"}}
	if err == nil {
		err = Write(dir, run)
	}
	if err != nil {
		t.Fatal(err)
	}
	writeTable(t, filepath.Join(dir, "table.txt"), run)
	for name, wants := range map[string][]string{
		"table.txt":   {"left out, not named by --only: storm, frozen\n", "left out, named by --skip: leaks\n"},
		"report.md":   {"\nleft out, not named by --only: storm, frozen\n", "\nleft out, named by --skip: leaks\n"},
		"report.html": {"so the silence counts. 3 scenarios were left out.", "<p>left out, not named by --only: storm, frozen</p>"},
		"junit.xml":   {`<testcase name="leaks"`, `<skipped message="left out, named by --skip">`},
	} {
		text := string(read(t, filepath.Join(dir, name)))
		for _, want := range wants {
			if !strings.Contains(text, want) {
				t.Errorf("%s does not say %q", name, want)
			}
		}
	}
	if s := junitOf(t, run); s.Tests != len(run.Findings)+3 || s.Skipped != 3 || s.Failures+s.Errors != 0 {
		t.Errorf("junit: %d tests, %d skipped", s.Tests, s.Skipped)
	}
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return text
}
