package sandbox

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

func deadOwner() owner {
	o := thisProcess()
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

func TestSweepControlGroupsOfTheDead(t *testing.T) {
	own, err := cpuGroup(os.Getpid())
	if err != nil {
		t.Skip(err)
	}
	alive, dead := filepath.Join(own, groupName(thisProcess(), 7)), filepath.Join(own, groupName(deadOwner(), 7))
	for _, group := range []string{alive, dead} {
		if err := os.Mkdir(group, 0o755); err != nil {
			t.Skip(err)
		}
		defer os.Remove(group)
	}
	if n, err := sweepGroups(); n < 1 || err != nil {
		t.Errorf("%d removed, error %v", n, err)
	}
	if !isGone(t, dead) || isGone(t, alive) {
		t.Errorf("the dead one's alone was to be removed: dead %v, alive %v", isGone(t, dead), isGone(t, alive))
	}
}

func TestControlGroupsNameTheirOwner(t *testing.T) {
	if o, ok := groupOwner(groupName(thisProcess(), 7)); !ok || o != thisProcess() {
		t.Errorf("%+v, %v", o, ok)
	}
	for _, name := range []string{"reapcheck-7", "reapcheck-7-x", "other-7-a_b_1_2", ""} {
		if _, ok := groupOwner(name); ok {
			t.Errorf("%q has an owner", name)
		}
	}
}
