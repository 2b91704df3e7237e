// Package report draws a run that package results has read and judged, for people
// and for machines: a table, a page, Markdown and JUnit.
//
// Write and Table are the front door. Nothing is decided here.
package report

import (
	"path/filepath"

	"github.com/reapcheck/reapcheck/harness/results"
	"github.com/reapcheck/reapcheck/harness/trial"
)

// Write makes all reports of a run in its folder: report.md, report.html and
// junit.xml.
func Write(dir string, run results.Run) error {
	junit, err := JUnit(run)
	if err != nil {
		return err
	}
	html, err := HTML(run)
	if err != nil {
		return err
	}
	for name, content := range map[string][]byte{
		"report.md":   Markdown(run),
		"report.html": html,
		"junit.xml":   junit,
	} {
		if err := results.Replace(filepath.Join(dir, name), content); err != nil {
			return err
		}
	}
	return nil
}

// outcomes that are not ok, the worst first.
var badOutcomes = []trial.Outcome{trial.Wrong, trial.Lost, trial.Output, trial.Error, trial.Hung}
