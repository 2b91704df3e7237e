package report

import (
	"path/filepath"
	"strings"
	"testing"
)

// Three scenarios of three are not all there are, and each report says so.
func TestEveryReportSaysWhatWasLeftOut(t *testing.T) {
	dir := passing(t, func(i *Info) {
		i.LeftOut = []LeftOut{{"storm", "not named by --only"}, {"leaks", "named by --skip"}, {"frozen", "not named by --only"}}
	})
	run, err := Load(dir)
	if err == nil {
		err = Write(dir, run)
	}
	if err != nil {
		t.Fatal(err)
	}
	writeTable(t, filepath.Join(dir, "table.txt"), run)
	for name, wants := range map[string][]string{
		"table.txt":    {"left out, not named by --only: storm, frozen\n", "left out, named by --skip: leaks\n"},
		"report.md":    {"\nleft out, not named by --only: storm, frozen\n", "\nleft out, named by --skip: leaks\n"},
		"report.html":  {"so the silence counts. 3 scenarios were left out.", "<p>left out, not named by --only: storm, frozen</p>"},
		"junit.xml":    {`<testcase name="leaks"`, `<skipped message="left out, named by --skip">`},
		"verdict.json": {`"why": "named by --skip"`},
		"run.json":     {`"why": "named by --skip"`},
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
	validate(t, strict(t, "verdict"), "verdict.json", read(t, filepath.Join(dir, "verdict.json")))
	validate(t, strict(t, "run"), "run.json", read(t, filepath.Join(dir, "run.json")))
}
