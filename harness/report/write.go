package report

import (
	"encoding/json"
	"fmt"
	"path/filepath"
)

// Write makes all reports of a run in its folder: verdict.json, report.md,
// report.html and junit.xml.
func Write(dir string, run Run) error {
	verdict, err := json.MarshalIndent(verdictOf(run), "", "  ")
	if err != nil {
		return fmt.Errorf("encode verdict: %w", err)
	}
	junit, err := JUnit(run)
	if err != nil {
		return err
	}
	html, err := HTML(run)
	if err != nil {
		return err
	}
	for name, content := range map[string][]byte{
		"verdict.json": append(verdict, '\n'), "report.md": Markdown(run), "report.html": html, "junit.xml": junit,
	} {
		if err := replace(filepath.Join(dir, name), content); err != nil {
			return err
		}
	}
	return nil
}
