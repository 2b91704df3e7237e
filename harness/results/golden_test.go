package results

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"testing"
)

var update = flag.Bool("update", false, "write the golden verdicts anew")

// The folders are those of real runs, somewhat cut: what was recorded then must
// be judged the same today. After a wanted change run
// go test ./harness/results ./harness/report -update, and read the difference.
func TestOldRunsAreJudgedAgain(t *testing.T) {
	for _, name := range []string{"fail", "pass"} {
		t.Run(name, func(t *testing.T) {
			run, err := Load(filepath.Join("testdata", name))
			if err != nil {
				t.Fatal(err)
			}
			if run.Verdict.String() != name {
				t.Errorf("verdict %v", run.Verdict)
			}
			out := t.TempDir()
			if err := WriteVerdict(out, run); err != nil {
				t.Fatal(err)
			}
			got := read(t, filepath.Join(out, verdictFile))
			golden := filepath.Join("testdata", name+".golden", verdictFile)
			if *update {
				if err := os.WriteFile(golden, got, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if !bytes.Equal(got, read(t, golden)) {
				t.Errorf("another verdict; run with -update if that is wanted:\n%s", got)
			}
		})
	}
}
