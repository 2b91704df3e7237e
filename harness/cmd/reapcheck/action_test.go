package main

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/spf13/pflag"
)

// What action.yml offers are the gate's flags, and what it hands over are their
// variables: a flag that is new has to be thought of here.
func TestTheActionHasTheFlagsOfTheGate(t *testing.T) {
	text, err := os.ReadFile("../../../action.yml")
	if err != nil {
		t.Fatal(err)
	}
	var action struct {
		Inputs map[string]struct {
			Description string `yaml:"description"`
		} `yaml:"inputs"`
		Runs struct {
			Using string `yaml:"using"`
			Steps []struct {
				Uses  string            `yaml:"uses"`
				Run   string            `yaml:"run"`
				Shell string            `yaml:"shell"`
				Env   map[string]string `yaml:"env"`
			} `yaml:"steps"`
		} `yaml:"runs"`
	}
	if err := yaml.Unmarshal(text, &action); err != nil {
		t.Fatal(err)
	}
	handed := map[string]string{}
	for i, step := range action.Runs.Steps {
		if action.Runs.Using != "composite" ||
			(step.Uses == "") != (step.Run != "" && step.Shell != "") ||
			strings.Contains(step.Run, "${{") {
			t.Errorf(
				"step %d: a composite action's step uses an action, or runs a script in a shell without reading values into it", i)
		}
		for name, value := range step.Env {
			handed[name] = value
		}
	}
	left := []string{"cgroup-parent", "daemons", "duration", "resume", "wait-path", "help"}
	newGate().Flags().VisitAll(func(f *pflag.Flag) {
		_, offered := action.Inputs[f.Name]
		if slices.Contains(left, f.Name) == offered {
			t.Errorf("--%s: offered %v", f.Name, offered)
		}
		if offered && handed[variable(f.Name)] != "${{ inputs."+f.Name+" }}" {
			t.Errorf("--%s: %s is %q", f.Name, variable(f.Name), handed[variable(f.Name)])
		}
	})
	if len(handed) != len(action.Inputs) {
		t.Errorf("%d inputs, %d variables", len(action.Inputs), len(handed))
	}
}

// The action's last step, as GitHub runs it.
func TestTheActionsLastStep(t *testing.T) {
	t.Parallel()
	needNamespaces(t)
	for _, c := range []struct {
		manner, verdict string
		status          int
	}{
		{"zero", "verdict=fail\n", exitFail},
		{"unknown-manner", "verdict=inconclusive\n", exitInfrastructure},
		{"", "verdict=inconclusive\n", exitUsage},
	} {
		dir := t.TempDir()
		if err := os.MkdirAll(filepath.Join(dir, "bin"), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(built(t, "reapcheck"),
			filepath.Join(dir, "bin", "reapcheck")); err != nil {
			t.Fatal(err)
		}
		output, summary := filepath.Join(dir, "output"), filepath.Join(dir, "summary")
		binary := built(t, "foreign")
		if c.manner == "" {
			binary = "" // no target at all
		}
		cmd := exec.CommandContext(t.Context(), "bash", "../../../tools/action/gate.sh")
		cmd.Env = append(os.Environ(), "GITHUB_ACTION_PATH="+dir, "GITHUB_OUTPUT="+output,
			"GITHUB_STEP_SUMMARY="+summary,
			"REAPCHECK_BINARY="+
				binary, "REAPCHECK_DIALECT=code", "REAPCHECK_ARG=--dialect=code\n--manner="+
				c.manner, "REAPCHECK_ONLY=reaper-wins",
			"REAPCHECK_RUNTIME=namespace", "REAPCHECK_TIER=quick", "REAPCHECK_RESULTS="+
				filepath.Join(dir, "results"), "REAPCHECK_SKIP=", "REAPCHECK_SEED=")
		o := finish(t, cmd, "")
		said, _ := os.ReadFile(output)
		if o.status != c.status || !strings.HasSuffix(string(said), c.verdict) {
			t.Errorf("%q: exit status %d, outputs %q:\n%s", c.manner, o.status, said, o.said)
		}
		report, _ := os.ReadFile(summary)
		if ran := c.status != exitUsage; ran != strings.HasPrefix(string(report), "# reapcheck: ") {
			t.Errorf("%q: the summary is %.80q", c.manner, report)
		}
	}
}

// A gate that does not come as far as a folder of its own says nothing, whatever
// an earlier run in the same place has said.
func TestTheActionDoesNotTakeAnOlderRunsVerdict(t *testing.T) {
	const fresh = `mkdir -p "$REAPCHECK_RESULTS/new" && ln -sfn new "$REAPCHECK_RESULTS/latest" && cd "$REAPCHECK_RESULTS/new"` + "\n"
	const judged = "printf '{\\n  \"verdict\": \"pass\",\\n' >verdict.json; echo report >report.md\n"
	for _, c := range []struct{ name, script, said string }{
		{"killed", "kill -9 $$", "verdict=inconclusive\n"},
		{"no program", "exit 127", "verdict=inconclusive\n"},
		{"no folder", "exit 3", "verdict=inconclusive\n"},
		{"killed in its run", fresh + "kill -9 $$", "verdict=inconclusive\n"},
		{"killed behind its verdict", fresh + judged + "kill -9 $$", "verdict=inconclusive\n"},
		{"judged", fresh + judged, "verdict=pass\n"},
	} {
		dir := t.TempDir()
		results, output := filepath.Join(dir, "results"), filepath.Join(dir, "output")
		for path, text := range map[string]string{
			filepath.Join(dir, "bin", "reapcheck"):        "#!/bin/sh\n" + c.script,
			filepath.Join(results, "old", "verdict.json"): "{\n  \"verdict\": \"pass\",\n",
			filepath.Join(results, "old", "report.md"):    "old",
		} {
			if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755),
				os.WriteFile(path, []byte(text), 0o755)); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.Symlink("old", filepath.Join(results, "latest")); err != nil {
			t.Fatal(err)
		}
		cmd := exec.CommandContext(t.Context(), "bash", "../../../tools/action/gate.sh")
		cmd.Env = append(os.Environ(), "GITHUB_ACTION_PATH="+dir, "GITHUB_OUTPUT="+output,
			"GITHUB_STEP_SUMMARY="+filepath.Join(dir, "summary"), "REAPCHECK_RESULTS="+
				results, "REAPCHECK_RUNTIME=namespace")
		o := finish(t, cmd, "")
		said, _ := os.ReadFile(output)
		summary, _ := os.ReadFile(filepath.Join(dir, "summary"))
		if !strings.HasSuffix(string(said), c.said) || string(summary) == "old" {
			t.Errorf("%s: exit status %d, outputs %q, summary %q:\n%s", c.name, o.status, said,
				summary, o.said)
		}
	}
}

// The gate runs as root where that is needed and to be had, as on GitHub's runners,
// and the results are the runner's afterwards.
func TestTheActionLooksIntoContainersAsRoot(t *testing.T) {
	const id, sudo = "echo 1001",
		`printf '%s\n' "$*" >>"$LOG"; while [ "${1#-}" != "$1" ]; do shift; done; [ "$1" = chown ] || exec "$@"`
	for _, c := range []struct{ name, runtime, sudo, said string }{
		{"docker", "docker", sudo, "-nE true\n-nE BIN gate\n-n chown -Rh 1001:1001 RESULTS\n"},
		{"by default", "", sudo, "-nE true\n-nE BIN gate\n-n chown -Rh 1001:1001 RESULTS\n"},
		{"namespaces", "namespace", sudo, ""},
		{"no sudo", "docker", `printf '%s\n' "$*" >>"$LOG"; exit 1`, "-nE true\n"},
	} {
		dir := t.TempDir()
		bin, results, log := filepath.Join(dir, "bin", "reapcheck"), filepath.Join(dir,
			"results"), filepath.Join(dir, "log")
		for path, script := range map[string]string{bin: `mkdir "$REAPCHECK_RESULTS"; exit 1`,
			filepath.Join(dir, "path", "id"): id, filepath.Join(dir, "path", "sudo"): c.sudo} {
			if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755),
				os.WriteFile(path, []byte("#!/bin/sh\n"+script+"\n"), 0o755)); err != nil {
				t.Fatal(err)
			}
		}
		cmd := exec.CommandContext(t.Context(), "bash", "../../../tools/action/gate.sh")
		cmd.Env = append(os.Environ(), "PATH="+filepath.Join(dir, "path")+":"+os.Getenv("PATH"),
			"LOG="+log, "GITHUB_ACTION_PATH="+dir,
			"GITHUB_OUTPUT="+filepath.Join(dir, "output"), "GITHUB_STEP_SUMMARY="+filepath.Join(dir,
				"summary"), "REAPCHECK_RUNTIME="+c.runtime, "REAPCHECK_RESULTS="+results)
		o := finish(t, cmd, "")
		said, _ := os.ReadFile(log)
		if want := strings.NewReplacer("BIN", bin, "RESULTS",
			results).Replace(c.said); o.status != exitFail || string(said) != want {
			t.Errorf("%s: exit status %d, sudo was called with %q, want %q:\n%s", c.name, o.status,
				said, want, o.said)
		}
	}
}
