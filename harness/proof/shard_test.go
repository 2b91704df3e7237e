package proof

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/reapcheck/reapcheck/harness/shard"
	"github.com/reapcheck/reapcheck/harness/trial"
)

var cases = []string{"a", "b", "c", "d", "e"}

// tables are what three shards of mutants leave: all killed, but what change does.
func tables(t *testing.T, change func(number int, k *Kills)) (paths []string) {
	t.Helper()
	dir := t.TempDir()
	for number := 1; number <= 3; number++ {
		at := shard.Place{Number: number, Of: 3}
		k := Kills{Version: "v1", Seed: 7, Shard: NewShard(at, cases, "v1")}
		k.Shard.Done = true
		k.Kills = append(k.Kills,
			Kill{Strategy: "registry", Named: []string{fmt.Sprint(number)}, Passed: true})
		for _, slug := range cases {
			if k.Shard.Has(slug) {
				k.Kills = append(k.Kills, Kill{Slug: slug, Strategy: "registry", Shown: true})
			}
		}
		if change != nil {
			change(number, &k)
		}
		path := filepath.Join(dir, fmt.Sprint(number))
		if err := Write(path, k); err != nil {
			t.Fatal(err)
		}
		paths = append(paths, path)
	}
	return paths
}

func TestMergeKills(t *testing.T) {
	all, problems := MergeKills(tables(t, nil))
	if len(problems) > 0 || all.Verdict() != trial.Pass || all.Killed != 5 || all.Mutants != 5 {
		t.Errorf("problems %q, %v, %d of %d", problems, all.Verdict(), all.Killed, all.Mutants)
	}
	if len(all.Kills) != 6 || !slices.Equal(all.Kills[0].Named, []string{"1", "2", "3"}) {
		t.Errorf("the daemons without a defect are not one row: %+v", all.Kills)
	}
}

func TestMergeKillsNamesWhatIsWrong(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(number int, k *Kills)
		paths func(paths []string) []string
		want  string
	}{
		"missing": {nil, func(p []string) []string { return p[1:] }, "these are missing: 1"},
		"doubled": {nil, func(p []string) []string { return append(p, p[0]) },
			"shard 1 is there twice"},
		"cut": {func(n int, k *Kills) { k.Shard.Done = n != 2 }, nil, "shard 2 was cut"},
		"of another plan": {func(n int, k *Kills) {
			if n == 3 {
				k.Shard.Plan = "other"
			}
		}, nil, "is of another plan, other"},
		"a mutant is missing": {func(n int, k *Kills) {
			if n == 2 {
				k.Kills = k.Kills[:2]
			}
		}, nil, "e is missing"},
		"a mutant of another shard": {func(n int, k *Kills) {
			if n == 2 {
				k.Kills[1].Slug = "a"
			}
		}, nil, "a is not its"},
		"not JSON": {nil, func(p []string) []string {
			if err := os.WriteFile(p[1], []byte("{"), 0o644); err != nil {
				panic(err)
			}
			return p
		}, "is damaged"},
	} {
		t.Run(name, func(t *testing.T) {
			paths := tables(t, c.spoil)
			if c.paths != nil {
				paths = c.paths(paths)
			}
			_, problems := MergeKills(paths)
			if text := strings.Join(problems, "\n"); !strings.Contains(text, c.want) {
				t.Errorf("problems %q do not say %q", text, c.want)
			}
		})
	}
}

func TestMergeKillsFailsWithOneShard(t *testing.T) {
	all, problems := MergeKills(tables(t, func(n int, k *Kills) { k.Kills[0].Passed = n != 2 }))
	if len(problems) > 0 || all.Verdict() != trial.Fail {
		t.Errorf("a daemon without a defect that one shard does not pass: %v, problems %q",
			all.Verdict(), problems)
	}
}

func TestMergeAlarms(t *testing.T) {
	var paths []string
	for number := 1; number <= 2; number++ {
		a := Alarms{Shard: NewShard(shard.Place{Number: number, Of: 2}, cases, "v1")}
		a.Shard.Done = true
		for _, name := range cases {
			if a.Shard.Has(name) {
				a.Runs = append(a.Runs, AlarmRun{Name: name, Verdict: "pass"})
			}
		}
		paths = append(paths, filepath.Join(t.TempDir(), "alarms.json"))
		if err := Write(paths[number-1], a); err != nil {
			t.Fatal(err)
		}
	}
	all, problems := MergeAlarms(paths)
	if len(problems) > 0 || all.Verdict() != trial.Pass || len(all.Runs) != len(cases) {
		t.Errorf("problems %q, %v, runs %+v", problems, all.Verdict(), all.Runs)
	}
	if _, problems := MergeAlarms(paths[:1]); len(problems) != 1 {
		t.Errorf("one of two: problems %q", problems)
	}
}
