package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func waiverFile(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "known.yaml")
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestWaiversThatAreWrong(t *testing.T) {
	const good = "waivers:\n- scenario: storm\n  reason: issue 7\n  until: 2026-12-31\n"
	if got, err := readWaivers(waiverFile(t, good)); err != nil || len(got) != 1 || got[0].Until != "2026-12-31" || got[0].Reason != "issue 7" {
		t.Fatalf("%+v, %v", got, err)
	}
	if got, err := readWaivers(waiverFile(t, "waivers: []\n")); err != nil || len(got) != 0 {
		t.Errorf("none: %+v, %v", got, err)
	}
	for _, c := range []struct{ name, old, new, want string }{
		{"unknown scenario", "storm", "strom", `known.yaml:2: unknown scenario "strom": choose from `},
		{"unknown key", "reason", "resaon", "known.yaml:3: unknown key waivers.0.resaon"},
		{"no reason", "  reason: issue 7\n", "", "known.yaml:2: waivers.0: missing property 'reason'"},
		{"empty reason", "issue 7", `" "`, "known.yaml:3: waivers.0.reason: "},
		{"no day", "2026-12-31", "soon", "known.yaml:4: waivers.0.until: 'soon' does not match pattern"},
		{"no day of the calendar", "2026-12-31", "2026-02-30", "known.yaml:4: 2026-02-30 is no day of the calendar"},
		{"unknown outcome", "2026-12-31\n", "2026-12-31\n  outcomes: [lots]\n", "known.yaml:5: waivers.0.outcomes.0: value must be one of 'lost', 'wrong',"},
		{"no outcome", "2026-12-31\n", "2026-12-31\n  outcomes: []\n", "known.yaml:5: waivers.0.outcomes: minItems: got 0, want 1"},
		{"twice", "\n- scenario", "\n- {scenario: storm, reason: x, until: 2026-12-31}\n- scenario", "known.yaml:3: a second waiver for storm"},
		{"a list alone", "waivers:\n", "", "known.yaml:1: the document: got array, want object"},
	} {
		_, err := readWaivers(waiverFile(t, strings.Replace(good, c.old, c.new, 1)))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %s", c.name, err, c.want)
		}
	}
	if _, err := readWaivers("/nowhere.yaml"); err == nil || !strings.HasPrefix(err.Error(), "read waivers: ") {
		t.Errorf("no file: %v", err)
	}
}
