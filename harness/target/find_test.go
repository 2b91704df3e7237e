package target

import (
	"os"
	"path/filepath"
	"testing"
)

// A sandbox's stage executes a build from another folder than the one of who named it.
func TestABuildInAFolderThatIsNamedFromHere(t *testing.T) {
	folder := t.TempDir()
	t.Chdir(folder)
	if err := os.WriteFile(string(Ordinary), nil, 0o755); err != nil {
		t.Fatal(err)
	}
	found, err := Find(t.Context(), Ordinary, ".")
	if want := filepath.Join(folder, string(Ordinary)); err != nil || found != want {
		t.Errorf("found %q, %v; want %q", found, err, want)
	}
	if found, err := Find(t.Context(), Launcher, "."); err == nil {
		t.Errorf("found %q, which is not there", found)
	}
}
