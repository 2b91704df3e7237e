package merge

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/reapcheck/reapcheck/harness/results"
	"github.com/reapcheck/reapcheck/harness/shard"
	"github.com/reapcheck/reapcheck/harness/trial"
)

// made is a plan of two scenarios, of which one can be divided, as shards leave it.
type made struct {
	dir    string
	of     int
	trials int // of each arm of the one that is divided
}

var (
	whole = trial.Scenario{ID: "whole", Text: "is whole", Level: trial.Must}
	storm = trial.Scenario{ID: "storm", Text: "storms", Level: trial.Should}
)

func (m made) info(number int) results.Info {
	info := results.Info{
		Run: fmt.Sprintf("run-%d", number), Version: "v1", Seed: 7, Tier: "quick", Factor: 1,
		Runtime: "namespace", Target: "a daemon", Kernel: "Linux 6", CPUs: number,
		Argv: []string{"reapcheck", "repro", "--seed=7",
			fmt.Sprintf("--shard=%d/%d", number, m.of)},
		Started: time.Date(2026, 1, 2, 3, 4, number%60, 0, time.UTC),
		Shard: &results.Shard{Number: number, Of: m.of, Done: true,
			Scenarios: []results.PlannedScenario{
				{Scenario: whole, Parts: 1}, {Scenario: storm, Parts: m.of},
			}},
	}
	info.Shard.Plan = info.PlanID()
	for i, hand := range info.Shard.Hands() {
		if !hand.Part(number).Whole() {
			info.Scenarios = append(info.Scenarios, info.Shard.Scenarios[i].Scenario)
		}
	}
	return info
}

func (m made) folder(number int) string {
	return filepath.Join(m.dir, fmt.Sprintf("run-%d", number))
}

// shard leaves one shard. Change may make a line another one, or none.
func (m made) shard(t testing.TB, number int, change func(arm string, line *trial.Line) bool) {
	t.Helper()
	info := m.info(number)
	if err := os.Mkdir(m.folder(number), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := results.WriteInfo(m.folder(number), info); err != nil {
		t.Fatal(err)
	}
	for _, hand := range info.Shard.Hands() {
		part := hand.Part(number)
		if part.Whole() {
			continue
		}
		for _, role := range []trial.Role{trial.Baseline, trial.Candidate} {
			m.arm(t, info, hand.ID, role, part, change)
		}
	}
}

func (m made) arm(t testing.TB, info results.Info, id string, role trial.Role, part shard.Place,
	change func(string, *trial.Line) bool) {
	t.Helper()
	n, whole := m.trials, 0
	if part.Of > 1 {
		whole = m.trials
	}
	share := part.Share(n, 1)
	plan := trial.Plan{
		Run: info.Run, Scenario: id, Arm: string(role), Role: role,
		Arms: []string{"baseline", "candidate"}, Claim: trial.Clean, Trials: share.Count,
		First: share.First, Whole: whole, InFlight: 1, Seed: 7,
	}
	outcome := trial.OK
	if role == trial.Baseline {
		plan.Claim, plan.UntilShown, outcome = trial.Loses, true, trial.Lost
	}
	rec, err := results.NewRecorder(results.Recording(m.folder(info.Shard.Number), id, plan.Arm),
		plan)
	if err != nil {
		t.Fatal(err)
	}
	write := func(line trial.Line) {
		if change == nil || change(id+"/"+plan.Arm, &line) {
			rec.Write(line)
		}
	}
	end := trial.End{Checks: 1, StartMicros: int64(info.Shard.Number)}
	for i := share.First; i < share.First+share.Count; i++ {
		write(trial.Line{Record: &trial.Record{Index: i, Kind: "instant", Outcome: outcome,
			Micros: 5}})
		if role == trial.Baseline {
			end.ShownBy = &i
			break
		}
	}
	write(trial.Line{Check: &trial.Check{Name: "target", Want: "running", Got: "running",
		OK: true}})
	write(trial.Line{End: &end})
	if err := rec.Close(); err != nil {
		t.Fatal(err)
	}
}

func merged(t testing.TB, paths ...string) results.Run {
	t.Helper()
	plan, err := Find(paths)
	if err != nil {
		t.Fatal(err)
	}
	folder := filepath.Join(t.TempDir(), "merged")
	if err := os.Mkdir(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := plan.Write(folder); err != nil {
		t.Fatal(err)
	}
	run, err := results.Load(folder)
	if err != nil {
		t.Fatal(err)
	}
	return run
}

func made3(t testing.TB) made {
	m := made{t.TempDir(), 3, 100}
	for number := 1; number <= m.of; number++ {
		m.shard(t, number, nil)
	}
	return m
}

func TestMergeOfAllShardsPasses(t *testing.T) {
	run := merged(t, made3(t).dir)
	if run.Verdict != trial.Pass || run.Info.Problem != "" {
		t.Fatalf("verdict %v, problem %q, findings %+v", run.Verdict, run.Info.Problem,
			run.Findings)
	}
	if len(run.Findings) != 2 || len(run.Info.Machines) != 3 || run.Info.Shard != nil {
		t.Errorf("%d findings, %d machines, shard %v", len(run.Findings), len(run.Info.Machines),
			run.Info.Shard)
	}
	if want := []trial.Scenario{storm, whole}; !slices.Equal(run.Info.Scenarios, want) {
		t.Errorf("its scenarios are %v, want %v", run.Info.Scenarios, want)
	}
	for _, f := range run.Findings {
		for _, a := range f.Arms {
			if want := 100; a.Plan.Role == trial.Candidate && a.Trials != want {
				t.Errorf("%s has %d trials, want %d", a.Recording, a.Trials, want)
			}
		}
	}
	if got := run.Repeat(""); strings.Contains(got, "--shard") {
		t.Errorf("what repeats the merged run is %s", got)
	}
	notes := strings.Join(run.Info.Notes(), "\n")
	if !strings.Contains(notes, "shard 2: Linux 6, 2 CPUs, runtime namespace") {
		t.Errorf("the notes do not say what shard 2 ran on: %s", notes)
	}
}

// Each way in which a shard can be wrong must be named, and must not pass.
func TestMergeNamesWhatIsWrong(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(t *testing.T, m made)
		want  string
	}{
		"missing": {func(t *testing.T, m made) { remove(t, m.folder(2)) }, "these are missing: 2"},
		"cut": {func(t *testing.T, m made) {
			info := m.info(3)
			info.Shard.Done = false
			writeInfo(t, m.folder(3), info)
		}, "shard 3 was cut"},
		"doubled": {func(t *testing.T, m made) {
			if err := os.CopyFS(m.folder(9), os.DirFS(m.folder(1))); err != nil {
				t.Fatal(err)
			}
		}, "shard 1 is there twice"},
		"foreign": {func(t *testing.T, m made) {
			info := m.info(2)
			info.Seed = 8
			info.Shard.Plan = info.PlanID()
			writeInfo(t, m.folder(2), info)
		}, "differs in its seed"},
		"another plan under this name": {func(t *testing.T, m made) {
			info := m.info(2)
			info.Version = "v2"
			writeInfo(t, m.folder(2), info)
		}, "not of the plan that it names"},
		"broken run.json": {func(t *testing.T, m made) {
			write(t, filepath.Join(m.folder(2), "run.json"), "{")
		}, "run-2 is damaged"},
		"number out of range": {func(t *testing.T, m made) {
			info := m.info(2)
			info.Shard.Number = 4
			writeInfo(t, m.folder(2), info)
		}, "shard 4/3 is invalid"},
		"recording gone": {func(t *testing.T, m made) {
			remove(t, results.Recording(m.folder(2), "storm", "candidate"))
		}, ""},
		"recording of another shard": {func(t *testing.T, m made) {
			text, err := os.ReadFile(results.Recording(m.folder(1), "storm", "candidate"))
			if err != nil {
				t.Fatal(err)
			}
			write(t, results.Recording(m.folder(2), "storm", "candidate"), string(text))
		},
			`shard 2, storm/candidate is damaged: it is the recording of storm/candidate in "run-1"`},
		"line after the end": {func(t *testing.T, m made) {
			path := results.Recording(m.folder(2), "storm", "candidate")
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			last := text[bytes.LastIndexByte(text[:len(text)-1], '\n')+1:]
			write(t, path, string(text)+string(last))
		}, "follows the end"},
	} {
		t.Run(name, func(t *testing.T) {
			m := made3(t)
			c.spoil(t, m)
			run := merged(t, m.dir)
			if run.Verdict != trial.Inconclusive {
				t.Errorf("verdict %v, want inconclusive", run.Verdict)
			}
			if !strings.Contains(run.Info.Problem, c.want) {
				t.Errorf("problem %q does not say %q", run.Info.Problem, c.want)
			}
		})
	}
}

// A fault in what one shard has recorded must reach the verdict as in a whole run.
func TestMergeJudgesAllParts(t *testing.T) {
	for name, c := range map[string]struct {
		change func(arm string, line *trial.Line) bool
		want   trial.Verdict
		reason string
	}{
		"candidate loses": {func(arm string, line *trial.Line) bool {
			if line.Record != nil && arm == "storm/candidate" && line.Record.Index == 20 {
				line.Record.Outcome = trial.Lost
			}
			return true
		}, trial.Fail, "candidate: must be clean, saw 100 trials, 99 ok, 1 lost"},
		"baseline of one machine shows nothing": {func(arm string, line *trial.Line) bool {
			if line.Record != nil && arm == "storm/baseline" {
				line.Record.Outcome = trial.OK
			}
			if line.End != nil && arm == "storm/baseline" {
				line.End.ShownBy = nil
			}
			return true
		}, trial.Inconclusive, "shard 2: "},
		"a trial is missing": {func(arm string, line *trial.Line) bool {
			return line.Record == nil || arm != "storm/candidate" || line.Record.Index != 20
		}, trial.Inconclusive, "1 of 100 trials are missing"},
		"a trial of another shard": {func(arm string, line *trial.Line) bool {
			if line.Record != nil && arm == "storm/candidate" && line.Record.Index == 20 {
				line.Record.Index = 50
			}
			return true
		}, trial.Inconclusive, "recorded twice"},
		"no end": {func(arm string, line *trial.Line) bool {
			return line.End == nil || arm != "storm/candidate"
		}, trial.Inconclusive, "cut after 100 of 100"},
		"sandbox lost": {func(arm string, line *trial.Line) bool {
			if line.End != nil && arm == "storm/candidate" {
				line.End.Void = "the engine was stopped"
			}
			return true
		}, trial.Inconclusive, "shard 2: the engine was stopped"},
	} {
		t.Run(name, func(t *testing.T) {
			m := made{t.TempDir(), 3, 100}
			m.shard(t, 1, nil)
			m.shard(t, 2, c.change)
			m.shard(t, 3, nil)
			run := merged(t, m.dir)
			if run.Verdict != c.want {
				t.Errorf("verdict %v, want %v", run.Verdict, c.want)
			}
			for _, f := range run.Findings {
				if f.ID == "storm" && !strings.Contains(f.Reason, c.reason) {
					t.Errorf("reason %q does not say %q", f.Reason, c.reason)
				}
			}
		})
	}
}

// A sandbox that was lost on one machine must not hide what failed on another.
func TestMergeKeepsAFailBesideAVoid(t *testing.T) {
	m := made{t.TempDir(), 3, 100}
	m.shard(t, 1, func(arm string, line *trial.Line) bool {
		if line.End != nil && arm == "storm/candidate" {
			line.End.Void = "the engine was stopped"
		}
		return true
	})
	m.shard(t, 2, nil)
	m.shard(t, 3, func(arm string, line *trial.Line) bool {
		if line.Record != nil && arm == "storm/candidate" {
			line.Record.Outcome = trial.Wrong
		}
		return true
	})
	if run := merged(t, m.dir); run.Verdict != trial.Fail {
		t.Errorf("verdict %v, want fail", run.Verdict)
	}
}

func TestMergeTakesTheAttemptThatCameToItsEnd(t *testing.T) {
	m := made3(t)
	cut := made{t.TempDir(), 3, 100}
	cut.shard(t, 2, func(_ string, line *trial.Line) bool { return line.End == nil })
	info := cut.info(2)
	info.Shard.Done = false
	writeInfo(t, cut.folder(2), info)
	run := merged(t, m.dir, cut.dir, m.folder(1)) // the last is there already
	if run.Verdict != trial.Pass || run.Info.Problem != "" {
		t.Errorf("verdict %v, problem %q, want pass", run.Verdict, run.Info.Problem)
	}
}

func TestMergeNamesAFailThatWasReplaced(t *testing.T) {
	m := made3(t)
	cut := made{t.TempDir(), 3, 100}
	cut.shard(t, 2, func(arm string, line *trial.Line) bool {
		if line.Record != nil && arm == "storm/candidate" {
			line.Record.Outcome = trial.Lost
		}
		return line.End == nil
	})
	info := cut.info(2)
	info.Shard.Done = false
	writeInfo(t, cut.folder(2), info)
	run := merged(t, m.dir, cut.dir)
	if run.Verdict != trial.Inconclusive ||
		!strings.Contains(run.Info.Problem, "had failed in storm") {
		t.Errorf("verdict %v, problem %q", run.Verdict, run.Info.Problem)
	}
}

func TestFindRefusesFoldersWithoutShards(t *testing.T) {
	if _, err := Find([]string{t.TempDir()}); err == nil {
		t.Error("an empty folder is taken")
	}
	if _, err := Find([]string{filepath.Join(t.TempDir(), "nowhere")}); err == nil {
		t.Error("a folder that is not there is taken")
	}
}

func remove(t *testing.T, path string) {
	t.Helper()
	if err := os.RemoveAll(path); err != nil {
		t.Fatal(err)
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func writeInfo(t testing.TB, folder string, info results.Info) {
	t.Helper()
	if err := results.WriteInfo(folder, info); err != nil {
		t.Fatal(err)
	}
}
