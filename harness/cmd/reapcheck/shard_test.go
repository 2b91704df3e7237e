package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/reapcheck/reapcheck/harness/await"
	"github.com/reapcheck/reapcheck/harness/results"
	"github.com/reapcheck/reapcheck/harness/trial"
)

// Three scenarios: two that are divided, one of them by bursts, and one that is not.
const shardedScenarios = "exit-codes,ten-at-once,texts"

// reapcheck runs the built command.
func reapcheck(t *testing.T, parent string, args ...string) outcome {
	t.Helper()
	return finish(t, command(t, append(args, "--results="+parent)...), parent)
}

func shardArgs(number, of int) []string {
	return []string{
		"repro", "--runtime=namespace", "--only=" + shardedScenarios, "--seed=7", "--factor=0.2",
		fmt.Sprintf("--shard=%d/%d", number, of),
	}
}

// planned are the trials of all candidates: what was asked, and what was wanted. How many
// trials a baseline needs to show its claim is chance.
func planned(t *testing.T, folder string) []string {
	t.Helper()
	paths, err := fs.Glob(os.DirFS(folder), "*/candidate*.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, path := range paths {
		text, err := os.ReadFile(filepath.Join(folder, path))
		if err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(bytes.NewReader(text))
		for lines.Scan() {
			var line trial.Line
			if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
				t.Fatal(err)
			}
			if r := line.Record; r != nil {
				all = append(all, fmt.Sprintf("%s %d %s %d", path, r.Index, r.Kind, r.Want))
			}
		}
	}
	slices.Sort(all)
	return all
}

func TestShardsAreTogetherTheWholePlan(t *testing.T) {
	t.Parallel()
	var want []string
	for _, of := range []int{1, 3, 16} {
		parent := t.TempDir()
		for number := 1; number <= of; number++ {
			ran := reapcheck(t, parent, shardArgs(number, of)...)
			if ran.status != exitPass || !strings.HasSuffix(ran.said, "verdict: inconclusive\n") {
				t.Fatalf("shard %d of %d ended with %d and said\n%s", number, of, ran.status,
					ran.said)
			}
		}
		merged := reapcheck(t, t.TempDir(), "merge", parent)
		if merged.status != exitPass || !strings.HasSuffix(merged.said, "verdict: pass\n") {
			t.Fatalf("merge of %d ended with %d and said\n%s", of, merged.status, merged.said)
		}
		got := planned(t, results.Latest(merged.parent))
		if want == nil {
			want = got
		}
		if len(got) == 0 || !slices.Equal(got, want) {
			t.Errorf("%d shards have %d trials that are not the %d of one", of, len(got), len(want))
		}
	}
}

// An engine that starts a shard again must not replace what the first attempt has found.
func TestAShardThatIsDoneIsNotDoneAgain(t *testing.T) {
	t.Parallel()
	parent := t.TempDir()
	args := append(shardArgs(1, 2), "--strategy=reaper-only")
	first := reapcheck(t, parent, args...)
	second := reapcheck(t, parent, args...)
	if first.status != exitFail || second.status != exitFail {
		t.Errorf("a shard that fails ended with %d, and again with %d", first.status, second.status)
	}
	if !strings.Contains(second.said, "shard 1/2 of this plan is done already") {
		t.Errorf("the second attempt said\n%s", second.said)
	}
	if all, err := os.ReadDir(parent); err != nil || len(all) != 1 {
		t.Errorf("two attempts have left %v, %v", all, err)
	}
}

// A run that is killed leaves what it had, and --resume does the rest.
func TestResumeCompletesAKilledRun(t *testing.T) {
	t.Parallel()
	needNamespaces(t)
	parent := t.TempDir()
	cmd := exec.Command(built(t, "reapcheck"), append(shardArgs(1, 1), "--results="+parent)...)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var folder string
	begun := func() bool {
		found, _ := filepath.Glob(filepath.Join(parent, "*", "*", "candidate.jsonl"))
		if len(found) > 0 {
			folder = filepath.Dir(filepath.Dir(found[0]))
		}
		return folder != ""
	}
	deadline := time.Now().Add(await.Broken)
	for !begun() && time.Now().Before(deadline) {
		time.Sleep(time.Millisecond) // there is nothing to wait for but the file itself
	}
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	if folder == "" {
		t.Fatalf("a candidate's recording expected within %v in %s", await.Broken, parent)
	}
	run, err := results.Load(folder)
	if err != nil || run.Verdict != trial.Inconclusive || run.Info.Shard.Done {
		t.Fatalf("the killed run: %v, done %v, %v", run.Verdict, run.Info.Shard.Done, err)
	}
	resumed := reapcheck(t, parent, "repro", "--resume="+folder)
	if resumed.status != exitPass {
		t.Fatalf("resume ended with %d and said\n%s", resumed.status, resumed.said)
	}
	if run, err = results.Load(folder); err != nil || run.Own != trial.Pass ||
		!run.Info.Shard.Done ||
		len(run.Info.Resumed) != 1 {
		t.Errorf("the resumed run: %v, %+v, %v", run.Own, run.Info, err)
	}
	if other := reapcheck(t, parent, "repro", "--resume="+folder, "--seed=8"); other.status ==
		exitPass || !strings.Contains(other.said, "seed") {
		t.Errorf("with another seed resume ended with %d and said\n%s", other.status, other.said)
	}
}

func TestShardsNeedOnePlan(t *testing.T) {
	for want, args := range map[string][]string{
		"--shard needs --seed": {"repro", "--shard=1/2"},
		"needs --factor":       {"repro", "--shard=1/2", "--seed=1", "--tier=soak"},
		"1 <= K <= N":          {"gate", "--url=http://127.0.0.1:1", "--shard=3/2", "--seed=1"},
		"no shard was found":   {"merge", t.TempDir()},
		"run.json":             {"repro", "--resume=" + t.TempDir()},
		"all shards must have": {"mutants", "--shard=1/2"},
	} {
		root := newRoot()
		root.SetArgs(args)
		if err := root.Execute(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: %v, want %q", args, err, want)
		}
	}
}
