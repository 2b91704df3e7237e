package owner

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// ownerFile is in each folder of a run. Its name would not do: with an owner in it
// a socket's path is too long (unix(7)).
const ownerFile = "owner"

// MakeFolder makes a temporary folder whose name begins with "reapcheck-" and kind.
// The caller removes it; if it is killed before, SweepFolders does.
func MakeFolder(kind string) (string, error) {
	folder, err := os.MkdirTemp("", "reapcheck-"+kind)
	if err != nil {
		return "", err
	}
	if err := os.WriteFile(filepath.Join(folder, ownerFile), []byte(This().String()), 0o644); err != nil {
		return "", errors.Join(err, os.RemoveAll(folder))
	}
	return folder, nil
}

// SweepFolders removes the temporary folders of this user's runs whose process is gone, and counts them.
func SweepFolders() (removed int, err error) {
	found, err := filepath.Glob(filepath.Join(os.TempDir(), "reapcheck-*", ownerFile))
	for _, path := range found {
		folder := filepath.Dir(path)
		label, errRead := os.ReadFile(path)
		if o, ok := Parse(string(label)); errRead != nil || !ok || !o.Dead() || !ownFile(folder) {
			continue
		}
		if errRemove := os.RemoveAll(folder); errRemove != nil {
			err = errors.Join(err, fmt.Errorf("remove folder of a dead run: %w", errRemove))
			continue
		}
		removed++
	}
	return removed, err
}

// ownFile says whether this user has made a file: anybody may make one beside it.
func ownFile(path string) bool {
	info, err := os.Lstat(path)
	if err != nil {
		return false
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(stat.Uid) == os.Geteuid()
}
