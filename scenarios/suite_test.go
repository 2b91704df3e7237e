package scenarios

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/reapcheck/reapcheck/harness/fault"
	"github.com/reapcheck/reapcheck/harness/load"
	"github.com/reapcheck/reapcheck/harness/results"
	"github.com/reapcheck/reapcheck/harness/sandbox"
	"github.com/reapcheck/reapcheck/harness/sandbox/namespace"
	"github.com/reapcheck/reapcheck/harness/session"
	"github.com/reapcheck/reapcheck/harness/target"
	"github.com/reapcheck/reapcheck/harness/trial"
)

// The specs that the command runs, under `go test` and the race detector. A
// few will do: the others run the same code, and `make repro` runs them all.
func TestScenarios(t *testing.T) {
	chosen, err := Select([]string{"exit-codes", "reaper-wins", "late-register", "held-stdout"},
		Inside)
	if err != nil {
		t.Fatal(err)
	}
	s := &session.Session{
		Runtime: newRuntime(t), Folder: t.TempDir(), Seed: 1,
		Scale:   session.Scale{Tier: session.Quick},
		Daemons: daemons(t), Candidate: target.Reference("registry"), Progress: &session.Progress{},
	}
	info := results.Info{Run: filepath.Base(s.Folder), Seed: s.Seed, Runtime: s.Runtime.Name(),
		Tier: string(s.Scale.Tier), Scenarios: chosen}
	if err := results.WriteInfo(s.Folder, info); err != nil {
		t.Fatal(err)
	}
	log, err := os.Create(filepath.Join(s.Folder, "ginkgo.log"))
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	green := Run(t.Context(), s, chosen, log)
	run, err := results.Load(s.Folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range run.Findings {
		if f.Verdict != trial.Pass {
			t.Errorf("%s: %v: %s", f.ID, f.Verdict, f.Reason)
		}
	}
	if green != (run.Verdict == trial.Pass) {
		t.Errorf("the suite is green: %v, but the recordings say %v", green, run.Verdict)
	}
}

// newRuntime takes namespaces, which cost next to nothing, and is skipped only
// where this user may not have them.
func newRuntime(t *testing.T) sandbox.Runtime {
	t.Helper()
	rt := namespace.New("")
	if err := rt.Prepare(t.Context(), os.Stderr); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	t.Cleanup(func() {
		if err := rt.Close(t.Context()); err != nil {
			t.Error(err)
		}
	})
	return rt
}

func daemons(t *testing.T) map[target.Build]string {
	t.Helper()
	all := map[target.Build]string{}
	for _, build := range target.Builds {
		path, err := target.Find(t.Context(), build, "")
		if err != nil {
			t.Fatal(err)
		}
		all[build] = path
	}
	return all
}

func TestEveryScenarioHasOneIDAndASentence(t *testing.T) {
	all := List()
	seen := map[string]bool{}
	for _, s := range all {
		if seen[s.ID] || s.ID == "" || len(s.Text) < 20 {
			t.Errorf("%+v", s)
		}
		seen[s.ID] = true
		if _, err := os.Stat(s.ID + ".go"); err != nil {
			t.Errorf("scenario %s is not in a file of its name", s.ID)
		}
	}
	if len(all) < 14 {
		t.Errorf("%d scenarios", len(all))
	}
}

func TestSelect(t *testing.T) {
	if _, err := Select([]string{"no-such"}, Inside); err == nil {
		t.Error("an unknown ID was taken")
	}
	if got, err := Select([]string{"storm", "storm", "storm"}, Inside); err != nil ||
		len(got) != 1 {
		t.Errorf("%v, %v", got, err)
	}
}

// A baseline that has to misbehave says how: what fails for another reason clears
// no candidate.
func TestBaselinesNameTheirSymptoms(t *testing.T) {
	for _, blackBox := range []bool{false, true} {
		s := planning(t, blackBox)
		for _, known := range List() {
			for _, arm := range plans[known.ID](s).Arms {
				if (arm.Claim == trial.Misbehaves) != (len(arm.By) > 0) {
					t.Errorf("%s/%s: the claim %q by %q", known.ID, arm.Name, arm.Claim, arm.By)
				}
				for _, symptom := range arm.By {
					if err := symptom.Validate(); err != nil {
						t.Errorf("%s/%s: %v", known.ID, arm.Name, err)
					}
				}
			}
		}
	}
}

// Who counts hits by outputs needs them.
func TestRefusalsAreCountedByOutputsOnly(t *testing.T) {
	s := planning(t, false)
	for _, arm := range plans["pressure"](s).Arms {
		if _, counts := arm.Fault.(fault.PIDLimit); counts && !arm.ByOutput {
			t.Errorf("%s takes a dialect without outputs", arm.Name)
		}
	}
}

// What a busy machine's scheduler may do once breaks no baseline: where a clock
// decides, losing some is enough.
func TestNoBaselineMustLoseAllByAClock(t *testing.T) {
	for _, blackBox := range []bool{false, true} {
		s := planning(t, blackBox)
		for _, known := range List() {
			for _, arm := range plans[known.ID](s).Arms {
				if arm.Claim == trial.LosesAll && !strings.Contains(arm.Fault.Name(), "until") &&
					known.ID != "reaper-wins" {
					t.Errorf("%s/%s claims %q under %s", known.ID, arm.Name, arm.Claim,
						arm.Fault.Name())
				}
			}
		}
	}
}

// planning is a session that is good for plans and for nothing else.
func planning(t *testing.T, blackBox bool) *session.Session {
	t.Helper()
	return &session.Session{Runtime: namespace.New(""), BlackBox: blackBox,
		Scale: session.Scale{Tier: session.Quick}}
}

// A long command that starts late is ended all the same.
func TestEveryLaterTurnReleasesTheLongCommand(t *testing.T) {
	for i := range every {
		c := longAndShort(i, load.Random(1, "long-and-short", i))
		if releases := strings.Contains(c.Script, "kill"); releases != (i >= every/2) {
			t.Errorf("turn %d, %s: it releases: %v", i, c.Kind, releases)
		}
	}
}

// What a target shows decides which scenarios it is tried with.
func TestWhatIsLeftOut(t *testing.T) {
	for _, c := range []struct {
		access Access
		left   []string
	}{
		{Inside, nil},
		{Outside, []string{"frozen"}},
		{Foreign, []string{"echild-wait", "frozen", "told-meanwhile"}},
	} {
		var left []string
		for _, s := range List() {
			if LeftOut(s.ID, c.access) != "" {
				left = append(left, s.ID)
			}
		}
		if !slices.Equal(left, c.left) {
			t.Errorf("at access %d %q are left out, want %q", c.access, left, c.left)
		}
	}
}

// A fault that counts its hits by pidfds has none where there are no pidfds.
func TestWhatIsNotSeenIsNotTried(t *testing.T) {
	for _, c := range []struct {
		blackBox bool
		path     session.WaitPath
		tried    bool
	}{
		{false, session.Fallback, true},
		{true, session.Pidfd, true},
		{true, session.Fallback, false},
	} {
		s := &session.Session{
			BlackBox: c.blackBox, WaitPath: c.path, Candidate: target.Reference("registry"),
		}
		chosen, err := Select([]string{"told-meanwhile"}, Outside)
		if err != nil {
			t.Fatal(err)
		}
		tried, why := Sayable(s, chosen)
		if (len(tried) == 1) != c.tried || (why["told-meanwhile"] == "") != c.tried {
			t.Errorf("%+v: tried %v, why not: %q", c, tried, why)
		}
	}
}
