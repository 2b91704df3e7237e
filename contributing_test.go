package reapcheck_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/reapcheck/reapcheck/daemon/process"
	"github.com/reapcheck/reapcheck/harness/client"
	"github.com/reapcheck/reapcheck/harness/dialect"
	"github.com/reapcheck/reapcheck/harness/target"
)

// example is the first block of code in CONTRIBUTING.md in that language.
func example(t *testing.T, language string) string {
	t.Helper()
	_, rest, ok := strings.Cut(guide(t), "```"+language+"\n")
	block, _, closed := strings.Cut(rest, "```")
	if !ok || !closed {
		t.Fatalf("CONTRIBUTING.md has no example in %s", language)
	}
	return block
}

func guide(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("CONTRIBUTING.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// One file is all that a scenario needs to be listed by the command.
func TestAScenarioIsOneFile(t *testing.T) {
	folder := t.TempDir()
	source := filepath.Join(folder, "dry-run.go")
	if err := os.WriteFile(source, []byte(example(t, "go")), 0o644); err != nil {
		t.Fatal(err)
	}
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	replace := map[string]map[string]string{
		"Replace": {filepath.Join(here, "scenarios", "dry-run.go"): source},
	}
	raw, err := json.Marshal(replace)
	if err != nil {
		t.Fatal(err)
	}
	overlay := filepath.Join(folder, "overlay.json")
	if err := os.WriteFile(overlay, raw, 0o644); err != nil {
		t.Fatal(err)
	}
	// Built as make builds it, so that next to nothing is compiled anew.
	list := exec.Command("go", "run", "-trimpath", "-overlay", overlay, "./harness/cmd/reapcheck", "list")
	list.Env = append(os.Environ(), "CGO_ENABLED=0")
	out, err := list.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "dry-run") {
		t.Errorf("the scenario of CONTRIBUTING.md is not listed: %v\n%s", err, out)
	}
}

// One file is all that a dialect needs to be spoken.
func TestADialectIsOneFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "mine.yaml")
	if err := os.WriteFile(file, []byte(example(t, "yaml")), 0o644); err != nil {
		t.Fatal(err)
	}
	d, err := dialect.Load(file)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(http.HandlerFunc(runScript))
	defer server.Close()
	speaker := client.New(server.URL, d, 1, &http.Transport{})
	defer speaker.Close()
	all := dialect.Try(t.Context(), d, speaker)
	if !dialect.Fits(all) {
		t.Error("the dialect of CONTRIBUTING.md does not fit what it describes")
	}
	for _, e := range all {
		if !e.OK {
			t.Errorf("%s: wanted %s, understood %s", e.Asked, e.Wanted, e.Understood)
		}
	}
}

// runScript is the daemon that the dialect of CONTRIBUTING.md describes.
func runScript(w http.ResponseWriter, r *http.Request) {
	var in struct{ Script, Dir string }
	_ = json.NewDecoder(r.Body).Decode(&in)
	cmd := exec.Command("/bin/sh", "-c", in.Script)
	cmd.Dir = in.Dir
	out, _ := cmd.CombinedOutput()
	code := cmd.ProcessState.ExitCode()
	if code < 0 {
		code = 128 + 9
	}
	_ = json.NewEncoder(w).Encode(map[string]any{"code": code, "out": string(out)})
}

// Whoever follows the guide finds what it names. A word in capitals stands for a name of
// the contributor's.
func TestTheGuideNamesFilesThatAreThere(t *testing.T) {
	named := regexp.MustCompile("`([a-z.]+/[^` ]*|[A-Za-z_]+\\.(?:md|go))`|\\]\\(([^)]+)\\)")
	for _, found := range named.FindAllStringSubmatch(guide(t), -1) {
		path := found[1] + found[2]
		if regexp.MustCompile(`\b(ID|NAME)\.`).MatchString(path) {
			path = filepath.Dir(path)
		}
		if _, err := os.Stat(path); err != nil {
			t.Error(err)
		}
	}
}

// The daemon and the harness do not know each other, so each has its list.
func TestTheStrategiesAreTheSameEverywhere(t *testing.T) {
	raw, err := os.ReadFile("daemon/api/openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	quoted := make([]string, len(process.StrategyNames))
	for i, name := range process.StrategyNames {
		quoted[i] = fmt.Sprintf("%q", name)
	}
	if enum := `"enum": [` + strings.Join(quoted, ", ") + `]`; !strings.Contains(string(raw),
		enum) {
		t.Errorf("openapi.json has another list than %s", enum)
	}
	if !slices.Equal(process.StrategyNames, target.Strategies) {
		t.Errorf("the daemon has %v, the harness %v", process.StrategyNames, target.Strategies)
	}
}
