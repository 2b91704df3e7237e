// Package mutant plants known defects in the reference daemon, so that the
// harness can be seen to find them.
//
// Load and Mutant.Compile are the front door. A mutant is a patch; it is
// applied to copies and built by go build -overlay, so the source tree is
// never touched. The package judges nothing: a mutant is a target like others.
package mutant

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/textproto"
	"path"
	"slices"
	"strings"

	"github.com/reapcheck/reapcheck/harness/trial"
)

// Mutant is one planted defect.
type Mutant struct {
	// Slug is the defect's name, the same as its file's.
	Slug string
	// Seen says where the defect was met, Notice what a user would notice.
	Seen, Notice string
	// KilledBy is the scenario that must fail.
	KilledBy string
	// KilledAs is the symptom by which it must.
	KilledAs trial.Symptom
	// Strategy is the reference daemon's.
	Strategy string

	patch []byte
}

// Load reads every NAME.patch of a folder, in the order of their names.
func Load(folder fs.FS) ([]Mutant, error) {
	names, err := fs.Glob(folder, "*.patch")
	if err != nil {
		return nil, err
	}
	slices.Sort(names)
	var all []Mutant
	for _, name := range names {
		raw, err := fs.ReadFile(folder, name)
		if err != nil {
			return nil, fmt.Errorf("read mutant: %w", err)
		}
		m, err := parse(strings.TrimSuffix(path.Base(name), ".patch"), raw)
		if err != nil {
			return nil, fmt.Errorf("read mutant %s: %w", name, err)
		}
		all = append(all, m)
	}
	return all, nil
}

// parse splits a file at its first empty line into header and patch.
func parse(slug string, raw []byte) (Mutant, error) {
	head, patch, _ := bytes.Cut(raw, []byte("\n\n"))
	lines := bufio.NewReader(io.MultiReader(bytes.NewReader(head), strings.NewReader("\n\n")))
	header, err := textproto.NewReader(lines).ReadMIMEHeader()
	if err != nil {
		return Mutant{}, fmt.Errorf("header: %w", err)
	}
	var missing []string
	value := func(key string) string {
		if header.Get(key) == "" {
			missing = append(missing, key)
		}
		return header.Get(key)
	}
	m := Mutant{
		Slug: slug, Seen: value("Seen"), Notice: value("Notice"), KilledBy: value("Killed-By"),
		KilledAs: trial.Symptom(value("Killed-As")), Strategy: value("Strategy"), patch: patch,
	}
	if missing != nil {
		return m, fmt.Errorf("header without %s", strings.Join(missing, ", "))
	}
	if err := m.KilledAs.Validate(); err != nil {
		return m, fmt.Errorf("header Killed-As: %w", err)
	}
	if len(m.files()) == 0 {
		return m, errors.New("no patch below the header")
	}
	return m, nil
}

// files are the paths that the patch changes, counted from the module's root.
func (m Mutant) files() []string {
	var files []string
	for line := range strings.Lines(string(m.patch)) {
		if name, ok := strings.CutPrefix(line, "+++ b/"); ok {
			files = append(files, strings.TrimSpace(name))
		}
	}
	return files
}
