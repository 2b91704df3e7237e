package results

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func copied(t *testing.T, saved string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(filepath.Join("testdata", saved))); err != nil {
		t.Fatal(err)
	}
	return dir
}

// To open a pipe that no one writes to would take for ever, and behind a link may
// be anybody's file.
func TestLoadReadsRegularFilesOnly(t *testing.T) {
	foreign := filepath.Join(t.TempDir(), "foreign")
	if err := os.WriteFile(foreign, []byte("{}"), 0o644); err != nil {
		t.Fatal(err)
	}
	pipe := func(path string) error { return syscall.Mkfifo(path, 0o600) }
	link := func(path string) error { return os.Symlink(foreign, path) }
	for _, name := range []string{"late-publish/more.jsonl",
		"late-publish/candidate-0s-trial-1.log", "run.json", "late-publish"} {
		for _, put := range []func(string) error{pipe, link} {
			dir := copied(t, "pass")
			path := filepath.Join(dir, name)
			if err := errors.Join(os.RemoveAll(path), put(path)); err != nil {
				t.Fatal(err)
			}
			if _, err := Load(dir); err == nil ||
				!strings.Contains(err.Error(), path+" is not a ") {
				t.Errorf("%s: got %v", name, err)
			}
		}
	}
}

// A report is whole or not there, and it is in the folder: what stands at its name
// is replaced, not written through.
func TestWriteReplacesWhatIsThere(t *testing.T) {
	dir := copied(t, "pass")
	run, err := Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	foreign := filepath.Join(t.TempDir(), "foreign")
	report := filepath.Join(dir, "report.md")
	err = errors.Join(
		os.WriteFile(foreign, []byte("mine"), 0o644),
		os.Symlink(foreign, report),
		syscall.Mkfifo(filepath.Join(dir, "verdict.json"), 0o600),
		Replace(report, []byte("# report\n")),
		WriteVerdict(dir, run),
		WriteInfo(dir, run.Info))
	if err != nil {
		t.Fatal(err)
	}
	if got := string(read(t, foreign)); got != "mine" {
		t.Errorf("a file outside of the folder holds %.40q", got)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		info, err := e.Info()
		if err != nil || !e.IsDir() && info.Mode() != 0o644 || strings.HasPrefix(e.Name(), ".") {
			t.Errorf("%s: %v, %v", e.Name(), info.Mode(), err)
		}
	}
}

// Who reads while a file is written anew finds the old one or the new one.
func TestReplaceIsNeverSeenHalfDone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "run.json")
	if err := Replace(path, []byte("old")); err != nil {
		t.Fatal(err)
	}
	before, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer before.Close()
	if err := Replace(path, []byte("new")); err != nil {
		t.Fatal(err)
	}
	text := make([]byte, 9)
	if n, _ := before.Read(text); string(text[:n]) != "old" {
		t.Errorf("a reader of the old file sees %q", text[:n])
	}
}
