package proof

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/reapcheck/reapcheck/fixtures/mutants"
)

func TestEveryPatchAppliesToTheSources(t *testing.T) {
	root, err := Root(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	all, err := Load(mutants.Patches)
	if err != nil || len(all) == 0 {
		t.Fatalf("%d mutants, %v", len(all), err)
	}
	for _, m := range all {
		t.Run(m.Slug, func(t *testing.T) {
			folder := t.TempDir()
			if _, err := m.plant(t.Context(), root, folder); err != nil {
				t.Fatal(err)
			}
			for _, name := range m.files() {
				before, after := read(t, filepath.Join(root, name)), read(t, filepath.Join(folder, "src", name))
				if before == after {
					t.Errorf("%s is as it was", name)
				}
			}
		})
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

const head = "Seen: here\nNotice: a thing\n  that goes on\nKilled-By: storm\nKilled-As: check the\n  files\nStrategy: registry\n"

// change is the patch of a line.
const change = "--- a/main.go\n+++ b/main.go\n@@ -3,2 +3,2 @@\n package main\n-const right = 1\n+const right = 2\n"

func load(t *testing.T, text string) (Mutant, error) {
	t.Helper()
	all, err := Load(fstest.MapFS{"some-slug.patch": {Data: []byte(text)}})
	if err != nil {
		return Mutant{}, err
	}
	return all[0], nil
}

func TestHeader(t *testing.T) {
	m, err := load(t, head+"\n"+change)
	if err != nil {
		t.Fatal(err)
	}
	if m.Slug != "some-slug" || m.Notice != "a thing that goes on" || m.KilledBy != "storm" || m.KilledAs != "check the files" {
		t.Errorf("%+v", m)
	}
	if got := m.files(); !slices.Equal(got, []string{"main.go"}) {
		t.Errorf("files %q", got)
	}
	for text, want := range map[string]string{
		strings.Replace(head, "Seen: here\n", "", 1) + "\n" + change:              "header without Seen",
		strings.Replace(head, "check the", "any check of the", 1) + "\n" + change: "header Killed-As: read symptom",
		head + "\n":              "no patch below the header",
		"no header\n\n" + change: "header",
	} {
		if _, err := load(t, text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q expected, got %v", want, err)
		}
	}
}

func TestPlantingLeavesTheSourcesAlone(t *testing.T) {
	m, err := load(t, head+"\n"+change)
	if err != nil {
		t.Fatal(err)
	}
	root, folder := t.TempDir(), t.TempDir()
	// Two lines further down than the patch says.
	source := "// Moved.\n\n// More.\n\npackage main\nconst right = 1\n"
	if err := os.WriteFile(filepath.Join(root, "main.go"), []byte(source), 0o644); err != nil {
		t.Fatal(err)
	}
	overlay, err := m.plant(t.Context(), root, folder)
	if err != nil {
		t.Fatal(err)
	}
	if got := read(t, filepath.Join(folder, "src", "main.go")); !strings.Contains(got, "right = 2") {
		t.Errorf("planted %q", got)
	}
	if got := read(t, filepath.Join(root, "main.go")); got != source {
		t.Errorf("the source is now %q", got)
	}
	if got := read(t, overlay); !strings.Contains(got, filepath.Join(root, "main.go")) {
		t.Errorf("overlay %s", got)
	}
}

func TestAPatchThatNoLongerAppliesIsNamed(t *testing.T) {
	m, err := load(t, head+"\n"+change)
	if err != nil {
		t.Fatal(err)
	}
	root := t.TempDir()
	if err := os.WriteFile(filepath.Join(root, "main.go"), []byte("package main\nconst right = 3\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	_, err = m.plant(t.Context(), root, t.TempDir())
	if err == nil || !strings.Contains(err.Error(), "some-slug.patch no longer applies") {
		t.Errorf("got %v", err)
	}
}
