package main

import (
	"fmt"
	"os"
	"strconv"
	"sync"
	"time"

	"github.com/reapcheck/reapcheck/harness/document"
	"github.com/reapcheck/reapcheck/harness/report"
	"github.com/reapcheck/reapcheck/scenarios"
)

var waiversSchema = sync.OnceValue(func() *document.Schema {
	text, err := report.Schema("waivers")
	if err != nil {
		panic(err) // it is part of the program
	}
	return document.MustSchema(text)
})

// readWaivers reads the file of known findings; none for no file. Each thing
// that is wrong with it is an error that names file and line.
func readWaivers(path string) ([]report.Waiver, error) {
	if path == "" {
		return nil, nil
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read waivers: %w", err)
	}
	doc, err := document.Read(path, text)
	if err != nil {
		return nil, err
	}
	if err := doc.Check(waiversSchema()); err != nil {
		return nil, err
	}
	var file struct {
		Waivers []report.Waiver `yaml:"waivers"`
	}
	if err := doc.Decode(&file); err != nil {
		return nil, err
	}
	return file.Waivers, checkWaivers(doc, file.Waivers)
}

// checkWaivers finds what no schema can: a waiver for nothing would be found out
// on its last day only.
func checkWaivers(doc *document.Document, waivers []report.Waiver) error {
	seen := map[string]bool{}
	for i, w := range waivers {
		at := func(key string) []string { return []string{"waivers", strconv.Itoa(i), key} }
		if _, err := scenarios.Select([]string{w.Scenario}, scenarios.Inside); err != nil {
			return doc.Errorf(at("scenario"), "%w", err)
		}
		if seen[w.Scenario] {
			return doc.Errorf(at("scenario"), "a second waiver for %s", w.Scenario)
		}
		seen[w.Scenario] = true
		if _, err := time.Parse(time.DateOnly, w.Until); err != nil {
			return doc.Errorf(at("until"), "%s is no day of the calendar", w.Until)
		}
	}
	return nil
}
