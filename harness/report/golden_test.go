package report

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/reapcheck/reapcheck/harness/printable"
	"github.com/reapcheck/reapcheck/harness/results"
)

var update = flag.Bool("update", false, "write the golden reports anew")

// The folders are those of real runs, somewhat cut: what was recorded then must
// be told the same today. After a wanted change run
// go test ./harness/results ./harness/report -update, and read the difference.
func TestOldRunsAreToldAgain(t *testing.T) {
	for _, name := range []string{"fail", "pass"} {
		t.Run(name, func(t *testing.T) {
			run, err := results.Load(filepath.Join("../results/testdata", name))
			if err != nil {
				t.Fatal(err)
			}
			if run.Verdict.String() != name {
				t.Errorf("verdict %v", run.Verdict)
			}
			run.Folder = filepath.Join("testdata", name) // as a report of it would say
			golden := filepath.Join("testdata", name+".golden")
			out := golden
			if !*update {
				out = t.TempDir()
			} else if err := os.MkdirAll(golden, 0o755); err != nil {
				t.Fatal(err)
			}
			if err := Write(out, run); err != nil {
				t.Fatal(err)
			}
			writeTable(t, filepath.Join(out, "table.txt"), run)
			compareFolders(t, golden, out)
		})
	}
}

func writeTable(t *testing.T, path string, run results.Run) {
	t.Helper()
	var table strings.Builder
	if err := Table(&table, run, Style{}); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(table.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}

func compareFolders(t *testing.T, golden, out string) {
	t.Helper()
	for _, name := range []string{"report.md", "report.html", "junit.xml", "table.txt"} {
		want, got := read(t, filepath.Join(golden, name)), read(t, filepath.Join(out, name))
		if at := firstDifference(string(want), string(got)); at != "" {
			t.Errorf("%s: %s\nrun with -update if that is wanted", name, at)
		}
	}
}

func firstDifference(want, got string) string {
	w, g := strings.Split(want, "\n"), strings.Split(got, "\n")
	for i := range min(len(w), len(g)) {
		if w[i] != g[i] {
			return fmt.Sprintf("line %d differs\nwant %s\ngot  %s", i+1, printable.Clip(w[i], 400), printable.Clip(g[i], 400))
		}
	}
	if len(w) != len(g) {
		return fmt.Sprintf("%d lines wanted, got %d", len(w), len(g))
	}
	return ""
}
