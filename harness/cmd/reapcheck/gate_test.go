package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	api "github.com/reapcheck/reapcheck/gate"
	"github.com/reapcheck/reapcheck/harness/results"
	"github.com/reapcheck/reapcheck/harness/trial"
)

// The gate as its users have it: the built command, a process a run, since a
// Ginkgo suite runs once in a process.

func TestTheGateJudgesTheReferenceDaemon(t *testing.T) {
	for _, c := range []struct {
		strategy, scenario string
		verdict            trial.Verdict
		arm                string // that fails
	}{
		{"registry", "reaper-wins", trial.Pass, ""},
		{"reaper-only", "reaper-wins", trial.Fail, "candidate-1"},
		{"documented", "late-publish", trial.Fail, "candidate-400ms"},
	} {
		t.Run(c.strategy, func(t *testing.T) {
			t.Parallel()
			o := gate(t, "--binary="+built(t, "daemon"), "--env=DECK_STRATEGY="+c.strategy,
				"--only="+c.scenario)
			if c.verdict == trial.Pass {
				o.expect(t, exitPass, trial.Pass)
				return
			}
			o.expect(t, exitFail, trial.Fail)
			if !strings.Contains(o.said, "fail          "+c.scenario+"  ") {
				t.Errorf("the scenario is not named:\n%s", o.said)
			}
			o.expectTimeline(t)
		})
	}
}

// expectTimeline wants the first bad trial told from the daemon's own log: what
// the status was, and when the reaper had it.
func (o outcome) expectTimeline(t *testing.T) {
	t.Helper()
	page, err := os.ReadFile(filepath.Join(o.parent, "latest", "report.html"))
	if err != nil {
		t.Fatal(err)
	}
	failures, _, _ := strings.Cut(string(page), `<section id="baselines">`)
	_, failures, found := strings.Cut(failures, `<section id="failures">`)
	for _, want := range []string{"log has the status that the client did not get", "The reaper",
		"handler answered", "repeat with"} {
		if !found || !strings.Contains(failures, want) {
			t.Errorf("the failures do not say %q", want)
		}
	}
}

// finding is the run's finding in one scenario.
func (o outcome) finding(t *testing.T, id string) results.Finding {
	t.Helper()
	findings := o.load(t).Findings
	i := slices.IndexFunc(findings, func(f results.Finding) bool { return f.ID == id })
	if i < 0 {
		t.Fatalf("no finding %s:\n%s", id, o.said)
	}
	return findings[i]
}

var dialects = []string{"words", "code", "start-500", "sse"}

func foreign(t *testing.T, dialect, manner string, args ...string) outcome {
	t.Helper()
	argv := append([]string{"--binary=" + built(t, "foreign"), "--dialect=" + dialect}, args...)
	return gate(t, append(argv, "--", "--dialect", dialect, "--manner", manner)...)
}

func TestTheGateJudgesForeignDaemons(t *testing.T) {
	for _, dialect := range dialects {
		t.Run(dialect+", sound", func(t *testing.T) {
			t.Parallel()
			// Those that rest most on the dialect's words, beside the race itself.
			o := foreign(t, dialect, "sound", "--only=reaper-wins,start-errors,timeout-group,flood")
			o.expect(t, exitPass, trial.Pass)
			for _, a := range o.finding(t, "reaper-wins").Arms {
				// One waiter only: held or not, no one else could have come first.
				if a.Plan.Role == trial.Witness &&
					(a.End.FaultHits > 0 || strings.Contains(o.said, "The other way round")) {
					t.Errorf("%s: the fault hit %d times, or something is said of it:\n%s",
						a.Plan.Arm, a.End.FaultHits, o.said)
				}
				if a.Plan.Role != trial.Witness && a.End.FaultHits < a.Plan.MinHits ||
					a.Plan.Fault == "" {
					t.Errorf("%s: the fault hit %d times", a.Plan.Arm, a.End.FaultHits)
				}
			}
		})
		t.Run(dialect+", racing", func(t *testing.T) {
			t.Parallel()
			o := foreign(t, dialect, "races", "--only=reaper-wins", "--env=QUOTES=it's two")
			o.expect(t, exitFail, trial.Fail)
			o.expectSaid(t, "the order decides, so it is the race")
			for _, a := range o.load(t).Findings[0].Arms {
				if a.Plan.Role == trial.Candidate && a.Counts[trial.Lost] != a.Trials {
					t.Errorf("%s: %v: the dialect's word for unknown was not understood",
						a.Plan.Arm, a.Counts)
				}
			}
			if dialect == "words" {
				o.expectRepeat(t)
			}
		})
	}
}

// None of these is sound, or none was really tried.
func TestTheGateNeverPasses(t *testing.T) {
	for _, c := range []struct {
		manner  string
		status  int
		verdict trial.Verdict
		said    string
	}{
		{"zero", exitFail, trial.Fail, "wrong"},
		{"crash", exitFail, trial.Fail, "target exit status 3 instead of running"},
		{"garbage", exitInfrastructure, trial.Inconclusive,
			"dialect sse understands no exit code in what comes back from POST /stream"},
		{"mute", exitInfrastructure, trial.Inconclusive, "no answer within 10s"},
	} {
		t.Run(c.manner, func(t *testing.T) {
			t.Parallel()
			o := foreign(t, "sse", c.manner, "--only=start-errors", "--only=reaper-wins")
			o.expect(t, c.status, c.verdict)
			if !strings.Contains(o.said, c.said) {
				t.Errorf("%q is not said:\n%s", c.said, o.said)
			}
		})
	}
}

// A launcher that installs no filter: nothing is held, and no one says so but
// the fault itself.
func TestAFaultThatIsSwitchedOffProvesNothing(t *testing.T) {
	t.Parallel()
	daemons := t.TempDir()
	for _, name := range []string{"daemon", "daemon-naive"} {
		if err := os.Symlink(built(t, name), filepath.Join(daemons, name)); err != nil {
			t.Fatal(err)
		}
	}
	self, err := os.Executable()
	if err == nil {
		err = os.Symlink(self, filepath.Join(daemons, "reapcheck-launcher"))
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, strategy := range []string{"registry", "reaper-only"} {
		o := gate(t, "--binary="+built(t, "daemon"), "--env=DECK_STRATEGY="+strategy,
			"--daemons="+daemons, "--only=reaper-wins")
		o.expect(t, exitInconclusive, trial.Inconclusive)
		if !strings.Contains(o.said, "fault declined") {
			t.Errorf("%s:\n%s", strategy, o.said)
		}
	}
}

// The results are on a disk that is full before the end. What is there then is
// judged again, as a CI job would that has lost the exit status.
func TestAFullDiskIsNoPass(t *testing.T) {
	t.Parallel()
	needNamespaces(t)
	const script = `mount -t tmpfs -o size=32k none "$1" || exit 9
"$2" gate --tier=quick --runtime=namespace --results="$1" --binary="$3" --only=start-errors
status=$?
echo "exit status $status"
cat "$1"/latest/verdict.json
"$2" report "$1/latest" && exit 0
exit $status`
	cmd := exec.CommandContext(t.Context(), "/bin/sh", "-c", script, "sh", t.TempDir(),
		built(t, "reapcheck"), built(t, "daemon"))
	cmd.SysProcAttr = ownNamespaces()
	o := finish(t, cmd, "")
	if o.status != exitInfrastructure || !strings.Contains(o.said, "no space left on device") ||
		strings.Contains(o.said, "verdict: pass") {
		t.Errorf("exit status %d:\n%s", o.status, o.said)
	}
}

// trials are what a recording planned and asked: all that the seed decides.
func (o outcome) trials(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{}
	files, _ := filepath.Glob(filepath.Join(o.parent, "latest", "*", "*.jsonl"))
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		name := filepath.Base(file)
		for raw := range bytes.Lines(text) {
			var line trial.Line
			if err := json.Unmarshal(raw, &line); err != nil {
				t.Fatal(err)
			}
			if line.Plan != nil {
				line.Plan.Run = "" // each run has a name of its own
				all[name] = fmt.Sprint(*line.Plan)
			}
			if r := line.Record; r != nil {
				all[fmt.Sprint(name, r.Index)] = fmt.Sprint(r.Kind, r.Want)
			}
		}
	}
	return all
}

func TestOneSeedPlansTheSameTrials(t *testing.T) {
	t.Parallel()
	same := []string{"--factor=1", "--binary=" + built(t, "daemon"), "--only=start-errors"}
	first := gate(t, append(same, "--seed=42")...).trials(t)
	second := gate(t, append(same, "--seed=42")...).trials(t)
	other := gate(t, append(same, "--seed=43")...).trials(t)
	if len(first) < 100 || !reflect.DeepEqual(first, second) {
		t.Errorf("%d trials, then %d others with the same seed", len(first), len(second))
	}
	if reflect.DeepEqual(first, other) {
		t.Error("another seed gives the same trials")
	}
}

var repeatWith = regexp.MustCompile(`(?m)^ *repeat with: (.*)$`)

// expectRepeat pastes the line into a shell in the same folder.
func (o outcome) expectRepeat(t *testing.T) {
	t.Helper()
	match := repeatWith.FindStringSubmatch(o.said)
	if match == nil {
		t.Fatalf("no line to repeat with:\n%s", o.said)
	}
	before := o.load(t)
	again := finish(t, exec.CommandContext(t.Context(), "/bin/sh", "-c", match[1]), o.parent)
	again.expect(t, exitFail, trial.Fail)
	after := again.load(t)
	if before.Info.Seed != after.Info.Seed ||
		!reflect.DeepEqual(before.Info.Argv, after.Info.Argv) ||
		before.Info.Started.Equal(after.Info.Started) {
		t.Errorf("%+v was repeated as %+v", before.Info, after.Info)
	}
}

// With nothing left to judge there is nothing to pass.
func TestARunOfKnownFindingsAloneProvesNothing(t *testing.T) {
	t.Parallel()
	known := filepath.Join(t.TempDir(), "known.yaml")
	text := "waivers:\n- {scenario: reaper-wins, reason: issue 7, until: 9999-12-31}\n"
	if err := os.WriteFile(known, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	o := gate(t, "--binary="+built(t, "foreign"), "--dialect=code", "--only=reaper-wins",
		"--waivers="+known, "--", "--dialect=code", "--manner=races")
	o.expect(t, exitInconclusive, trial.Inconclusive)
	if !strings.Contains(o.said, "a known failure, accepted until 9999-12-31: issue 7") {
		t.Errorf("the waiver is not named:\n%s", o.said)
	}
}

// The Go API, as a daemon's own test calls it.
func TestTheGateFromGo(t *testing.T) {
	t.Parallel()
	needNamespaces(t)
	result, err := api.Run(t.Context(), api.Command(built(t, "reapcheck")),
		api.Runtime("namespace"), api.Results(t.TempDir()),
		api.Binary(built(t, "foreign"), "--dialect=code",
			"--manner=zero"), api.Dialect("code"), api.Only("reaper-wins"))
	if err != nil || result.Verdict != api.Fail || len(result.Scenarios) != 1 ||
		result.Trials == 0 {
		t.Errorf("%+v, %v", result, err)
	}
}
