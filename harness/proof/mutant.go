// Package proof shows that the harness can be believed: it is seen to notice known
// defects, which are planted in the reference daemon, and seen to stay silent about
// the daemon that has none.
//
// Load and Mutant.Compile plant a defect, and Kills says which of them were found.
// Alarms says how often the sound daemon was accused. Each run is another process of
// this program, which RunApart starts. The package judges nothing: a mutant is a
// target like others.
package proof

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/textproto"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/reapcheck/reapcheck/harness/target"
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

// Root is the folder of the sources that mutants are made from: the module
// that the working directory is in.
func Root(ctx context.Context) (string, error) {
	const module = "github.com/reapcheck/reapcheck"
	out, err := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}", module).Output()
	if err != nil {
		return "", fmt.Errorf("find the sources of %s: %w; run this in a checkout of them", module,
			err)
	}
	return string(bytes.TrimSpace(out)), nil
}

// Compile makes an ordinary build of the daemon with the defect in it. The folder is for
// the changed copies, which the build needs until it is done.
func (m Mutant) Compile(ctx context.Context, root, folder, path string) error {
	overlay, err := m.plant(ctx, root, folder)
	if err != nil {
		return fmt.Errorf("plant %s: %w", m.Slug, err)
	}
	// Nobody debugs it, and it links in two thirds of the time.
	return target.Compile(ctx, target.Ordinary, path, "-overlay", overlay, "-ldflags=-s -w")
}

// plant applies the patch to copies and says in an overlay file, which it
// returns, that go build is to take those.
func (m Mutant) plant(ctx context.Context, root, folder string) (overlay string, err error) {
	var replace struct{ Replace map[string]string }
	replace.Replace = map[string]string{}
	for _, name := range m.files() {
		from, to := filepath.Join(root, name), filepath.Join(folder, "src", name)
		if err := copyFile(from, to); err != nil {
			return "", err
		}
		replace.Replace[from] = to
	}
	if err := m.apply(ctx, filepath.Join(folder, "src")); err != nil {
		return "", err
	}
	raw, err := json.Marshal(replace)
	if err != nil {
		return "", err
	}
	overlay = filepath.Join(folder, "overlay.json")
	return overlay, os.WriteFile(overlay, raw, 0o644)
}

// apply leaves it to git to find the place, since lines move while a defect
// stays the same. No repository may be found: git would take the folder for a
// part of it.
func (m Mutant) apply(ctx context.Context, folder string) error {
	cmd := exec.CommandContext(ctx, "git", "apply", "-")
	cmd.Dir = folder
	cmd.Env = append(os.Environ(), "GIT_CEILING_DIRECTORIES="+filepath.Dir(folder))
	cmd.Stdin = bytes.NewReader(m.patch)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s.patch no longer applies, bring it up to date: %w\n%s", m.Slug, err,
			out)
	}
	return nil
}

func copyFile(from, to string) error {
	raw, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	return os.WriteFile(to, raw, 0o644)
}
