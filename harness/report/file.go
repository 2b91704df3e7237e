package report

import (
	"fmt"
	"os"
	"path/filepath"
)

// open opens a file of a result folder, which somebody else may have made: a pipe
// would never end, and a link would put a foreign file into a report.
func open(path string) (*os.File, error) {
	about, err := os.Lstat(path)
	if err != nil {
		return nil, err
	}
	if !about.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is no regular file", path)
	}
	return os.Open(path)
}

// list names what is in a folder that is no link to another one, in order.
func list(dir string) ([]string, error) {
	about, err := os.Lstat(dir)
	if err != nil {
		return nil, err
	}
	if !about.IsDir() {
		return nil, fmt.Errorf("%s is no folder", dir)
	}
	entries, err := os.ReadDir(dir)
	names := make([]string, len(entries))
	for i, entry := range entries {
		names[i] = entry.Name()
	}
	return names, err
}

// replace puts a whole file in the place of whatever is there. Who reads it, or is
// killed, meanwhile has the old one.
func replace(path string, content []byte) error {
	file, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-")
	if err != nil {
		return fmt.Errorf("write result: %w", err)
	}
	defer os.Remove(file.Name()) // gone already where all went well
	_, err = file.Write(content)
	if err == nil {
		err = file.Chmod(0o644) // the folder says who may read
	}
	if closeErr := file.Close(); err == nil {
		err = closeErr
	}
	if err == nil {
		err = os.Rename(file.Name(), path)
	}
	if err != nil {
		return fmt.Errorf("write result: %w", err)
	}
	return nil
}
