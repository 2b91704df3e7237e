package owner

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

func isGone(t *testing.T, path string) bool {
	t.Helper()
	_, err := os.Stat(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	return err != nil
}

func deadOwner() Process {
	o := This()
	o.pid = 1 << 30
	return o
}

func TestSweepFoldersOfTheDead(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	folder := func() string {
		path, err := MakeFolder("hold-")
		if err != nil {
			t.Fatal(err)
		}
		return path
	}
	alive, dead, foreign := folder(), folder(), folder()
	errDead := os.WriteFile(filepath.Join(dead, ownerFile), []byte(deadOwner().String()), 0o644)
	if err := errors.Join(errDead, os.Remove(filepath.Join(foreign, ownerFile))); err != nil {
		t.Fatal(err)
	}
	if n, err := SweepFolders(); n < 1 || err != nil {
		t.Errorf("%d removed, error %v", n, err)
	}
	if !isGone(t, dead) || isGone(t, alive) || isGone(t, foreign) {
		t.Errorf("the dead one's alone was to be removed: dead %v, alive %v, nobody's %v", isGone(t, dead), isGone(t, alive), isGone(t, foreign))
	}
}
