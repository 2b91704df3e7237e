package shard

import (
	"errors"
	"strings"
	"testing"
)

func variables(all map[string]string) func(string) (string, bool) {
	return func(name string) (string, bool) {
		value, ok := all[name]
		return value, ok
	}
}

func TestParse(t *testing.T) {
	for _, c := range []struct {
		text string
		vars map[string]string
		want Place
	}{
		{"", map[string]string{"CI_NODE_INDEX": "2", "CI_NODE_TOTAL": "3"}, Place{}},
		{"1/1", nil, Place{1, 1}},
		{"3/16", map[string]string{"JOB_COMPLETION_INDEX": "7"}, Place{3, 16}},
		{"auto/8", map[string]string{"JOB_COMPLETION_INDEX": "0"}, Place{1, 8}},
		{"auto/8", map[string]string{"JOB_COMPLETION_INDEX": "7"}, Place{8, 8}},
		{"auto/3", map[string]string{"REAPCHECK_TASK_SLOT": "2"}, Place{3, 3}},
		{"auto/3", map[string]string{"REAPCHECK_TASK_SLOT": "u765tl7q2smxjicak59o3md1q"},
			Place{1, 3}},
		{"auto", map[string]string{"CI_NODE_INDEX": "2", "CI_NODE_TOTAL": "3"}, Place{2, 3}},
		{"auto/3", map[string]string{"CI_NODE_INDEX": "2", "CI_NODE_TOTAL": "3"}, Place{2, 3}},
		{"auto", map[string]string{"CIRCLE_NODE_INDEX": "0", "CIRCLE_NODE_TOTAL": "2"},
			Place{1, 2}},
		{"auto", map[string]string{
			"BUILDKITE_PARALLEL_JOB": "1", "BUILDKITE_PARALLEL_JOB_COUNT": "2",
		}, Place{2, 2}},
		{"auto/5", map[string]string{"AWS_BATCH_JOB_ARRAY_INDEX": "4"}, Place{5, 5}},
	} {
		if got, err := Parse(c.text, variables(c.vars)); err != nil || got != c.want {
			t.Errorf("Parse(%q) with %v = %v, %v, want %v", c.text, c.vars, got, err, c.want)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for _, c := range []struct {
		text, want string
		vars       map[string]string
	}{
		{"0/3", "1 <= K <= N", nil},
		{"4/3", "1 <= K <= N", nil},
		{"-1/3", "1 <= K <= N", nil},
		{"1/200000", "1 <= K <= N", nil},
		{"1/0", "of how many", nil},
		{"2", "of how many", nil},
		{"01/3", "not a number", nil},
		{"1/3/4", "not a number", nil},
		{"half", "not a number", nil},
		{"auto/3", "no variable", nil},
		{"auto", "of how many", map[string]string{"JOB_COMPLETION_INDEX": "1"}},
		{"auto/3", "1 <= K <= N", map[string]string{"JOB_COMPLETION_INDEX": "3"}},
		{"auto/3", "not a number", map[string]string{"JOB_COMPLETION_INDEX": "one"}},
	} {
		got, err := Parse(c.text, variables(c.vars))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("Parse(%q) = %v, %v, want an error with %q", c.text, got, err, c.want)
		}
	}
	if _, err := Parse("auto/2", variables(nil)); !errors.Is(err, ErrNoPlace) {
		t.Errorf("no variable: got %v, want ErrNoPlace", err)
	}
}

func TestSharesCoverEachTrialOnce(t *testing.T) {
	for _, n := range []int{0, 1, 7, 20, 259, 2000} {
		for _, step := range []int{0, 1, 8, 10} {
			for _, of := range []int{1, 2, 3, 16, 300} {
				next := 0
				for k := 1; k <= of; k++ {
					r := Place{k, of}.Share(n, step)
					if r.First != next || r.Count < 0 {
						t.Fatalf("%d trials by %d in %d: shard %d begins at %d, want %d",
							n, step, of, k, r.First, next)
					}
					if step > 0 && r.First%step != 0 && r.First != n {
						t.Errorf("%d trials by %d in %d: shard %d begins within a step, at %d",
							n, step, of, k, r.First)
					}
					next += r.Count
				}
				if next != n {
					t.Errorf("%d trials by %d in %d: all have %d", n, step, of, next)
				}
			}
		}
	}
	if r := (Place{}).Share(7, 2); r != (Range{0, 7}) {
		t.Errorf("a run that is not split has %v of 7 trials", r)
	}
}

func TestDealGivesEachItemOnce(t *testing.T) {
	items := []Item{{"a", 1}, {"b", 0}, {"storm", 99}, {"c", 1}, {"few", 2}}
	for _, of := range []int{1, 3, 16} {
		load := make([]int, of+1)
		for i, h := range Deal(items, of) {
			seen := map[int]bool{}
			for at, n := range h.Shards {
				if seen[n] || n < 1 || n > of {
					t.Errorf("%d shards: %s is dealt to %v", of, h.ID, h.Shards)
				}
				seen[n], load[n] = true, load[n]+1
				if p := h.Part(n); p != (Place{at + 1, len(h.Shards)}) {
					t.Errorf("%d shards: shard %d has part %v of %s", of, n, p, h.ID)
				}
			}
			if want := min(max(1, items[i].Parts), of); len(h.Shards) != want {
				t.Errorf("%d shards: %s has %d parts, want %d", of, h.ID, len(h.Shards), want)
			}
		}
	}
	if p := (Hand{"a", []int{2}}).Part(1); !p.Whole() {
		t.Errorf("shard 1 has part %v of what is shard 2's", p)
	}
}

func TestRanges(t *testing.T) {
	for want, numbers := range map[string][]int{
		"": nil, "3": {3}, "1-2": {1, 2}, "1, 3-5, 9": {1, 3, 4, 5, 9},
	} {
		if got := Ranges(numbers); got != want {
			t.Errorf("Ranges(%v) = %q, want %q", numbers, got, want)
		}
	}
	if got := Ranges(Missing([]int{2, 5, 5, 9}, 6)); got != "1, 3-4, 6" {
		t.Errorf("missing of 6: %s", got)
	}
}
