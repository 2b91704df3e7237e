// Package results owns the result folder of a run: what its files are called, how
// they are written while the run goes on, and how they are read again. It also
// decides what the run came to.
//
// NewFolder makes a folder and NewRecorder a recording in it. Load reads a folder
// back and judges it, so that an old run can be judged again; nothing is measured
// here, and nothing is drawn.
package results

import (
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"
)

// Names of files in a result folder.
const (
	infoFile    = "run.json"
	verdictFile = "verdict.json"
	latestLink  = "latest"

	recordingExt = ".jsonl"
	trialMark    = "-trial-" // between an arm's name and the number of a trial
	logExt       = ".log"
)

// SuiteLog is the path of what the suite of scenarios says of itself.
func SuiteLog(folder string) string { return filepath.Join(folder, "ginkgo.log") }

// DialectCheck is the path of what a gate's target answered before the first trial.
func DialectCheck(folder string) string { return filepath.Join(folder, "dialect-check.txt") }

// Latest is the path of the newest result folder below parent.
func Latest(parent string) string { return filepath.Join(parent, latestLink) }

// Recording is the path of an arm's recording.
func Recording(folder, scenario, arm string) string {
	return filepath.Join(folder, scenario, arm+recordingExt)
}

// TrialLog is the path of what the target logged around one trial.
func TrialLog(folder, scenario, arm string, trial int) string {
	return filepath.Join(folder, scenario, fmt.Sprintf("%s%s%d%s", arm, trialMark, trial, logExt))
}

// NewFolder makes the result folder of one run, parent/<UTC time>-<id>. A run
// that began in the same second has its own.
func NewFolder(parent, id string, now time.Time) (string, error) {
	if err := os.MkdirAll(parent, 0o755); err != nil {
		return "", fmt.Errorf("make result folder: %w", err)
	}
	first := now.UTC().Format("20060102T150405Z") + "-" + id
	dir := filepath.Join(parent, first)
	err := os.Mkdir(dir, 0o755)
	for n := 2; errors.Is(err, fs.ErrExist) && n < 1000; n++ {
		dir = filepath.Join(parent, fmt.Sprintf("%s-%d", first, n))
		err = os.Mkdir(dir, 0o755)
	}
	if err != nil {
		return "", fmt.Errorf("make result folder: %w", err)
	}
	return dir, nil
}

// PointLatest makes latest, beside the folder of a run, point at it.
func PointLatest(folder string) error {
	latest := Latest(filepath.Dir(folder))
	next := filepath.Join(folder, ".latest")
	err := os.Symlink(filepath.Base(folder), next)
	if err == nil {
		err = os.Rename(next, latest)
	}
	if err != nil {
		return fmt.Errorf("point %s at the result folder: %w", latest, err)
	}
	return nil
}

// OpenFile opens a file of a result folder, which someone else may have made: a pipe
// would never end, and a link would put a foreign file into a report. What is no regular
// file is an error.
func OpenFile(path string) (*os.File, error) {
	about, err := os.Lstat(path)
	if err != nil {
		return nil, err
	}
	if !about.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is not a regular file", path)
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
		return nil, fmt.Errorf("%s is not a folder", dir)
	}
	entries, err := os.ReadDir(dir)
	names := make([]string, len(entries))
	for i, entry := range entries {
		names[i] = entry.Name()
	}
	return names, err
}

// Replace puts a whole file in the place of whatever is there. Who reads it, or is
// killed, meanwhile has the old one.
func Replace(path string, content []byte) error {
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

func writeJSON(path string, v any) error {
	raw, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return fmt.Errorf("encode %s: %w", filepath.Base(path), err)
	}
	return Replace(path, append(raw, '\n'))
}

//go:embed schema/*.json
var schemas embed.FS

// Schema is the JSON Schema of a kind of file: verdict, run, bench, compare, recording (of
// one of its lines), or waivers, which a user writes.
func Schema(kind string) ([]byte, error) {
	text, err := schemas.ReadFile(path.Join("schema", kind+".json"))
	if err != nil {
		return nil, fmt.Errorf("unknown schema %q: choose from %s", kind,
			strings.Join(SchemaKinds(), ", "))
	}
	return text, nil
}

// SchemaKinds are the names that Schema knows.
func SchemaKinds() []string {
	names, err := fs.Glob(schemas, "schema/*.json")
	if err != nil {
		panic(err) // the pattern is not one
	}
	for i, name := range names {
		names[i] = strings.TrimSuffix(path.Base(name), ".json")
	}
	return names
}
