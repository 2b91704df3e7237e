package mutant

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/reapcheck/reapcheck/harness/target"
)

// Root is the folder of the sources that mutants are made from: the module
// that the working directory is in.
func Root(ctx context.Context) (string, error) {
	const module = "github.com/reapcheck/reapcheck"
	out, err := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}", module).Output()
	if err != nil {
		return "", fmt.Errorf("find the sources of %s: %w; run this in a checkout of them", module, err)
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
	return target.Compile(ctx, target.Ordinary, path, "-overlay", overlay)
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
		return fmt.Errorf("%s.patch no longer applies, bring it up to date: %w\n%s", m.Slug, err, out)
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
