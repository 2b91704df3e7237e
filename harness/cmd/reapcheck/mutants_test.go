package main

import (
	"context"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/reapcheck/reapcheck/fixtures/mutants"
	"github.com/reapcheck/reapcheck/harness/proof"
	"github.com/reapcheck/reapcheck/harness/results"
	"github.com/reapcheck/reapcheck/harness/target"
	"github.com/reapcheck/reapcheck/harness/trial"
	"github.com/reapcheck/reapcheck/scenarios"
)

func slugs(all []proof.Mutant) []string {
	var names []string
	for _, m := range all {
		names = append(names, m.Slug)
	}
	return names
}

func TestEveryMutantNamesAScenarioAndAStrategy(t *testing.T) {
	all, err := proof.Load(mutants.Patches)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range all {
		if _, err := scenarios.Select([]string{m.KilledBy}, scenarios.Inside); err != nil {
			t.Errorf("%s: %v", m.Slug, err)
		}
		if !slices.Contains(target.Strategies, m.Strategy) {
			t.Errorf("%s: unknown strategy %q", m.Slug, m.Strategy)
		}
	}
}

// The slices of one seed are all mutants, each once; another seed cuts them
// differently.
func TestSlices(t *testing.T) {
	all, err := chooseMutants(nil, "1/1", 1)
	if err != nil {
		t.Fatal(err)
	}
	var parts []proof.Mutant
	for _, slice := range []string{"1/3", "2/3", "3/3"} {
		part, err := chooseMutants(nil, slice, 1)
		if err != nil || len(part) == 0 {
			t.Fatalf("slice %s: %d mutants, %v", slice, len(part), err)
		}
		parts = append(parts, part...)
	}
	got := slugs(parts)
	slices.Sort(got)
	if !slices.Equal(got, slugs(all)) {
		t.Errorf("the slices give %v", got)
	}
	one, _ := chooseMutants(nil, "1/3", 1)
	other, _ := chooseMutants(nil, "1/3", 2)
	if slices.Equal(slugs(one), slugs(other)) {
		t.Error("two seeds give the same slice")
	}
}

func TestChoosingWhatIsNotThere(t *testing.T) {
	for _, c := range [][2]string{{"nonsense", "1/1"}, {"", "0/3"}, {"", "4/3"}, {"", "half"},
		{"", "999/1000"}} {
		var only []string
		if c[0] != "" {
			only = []string{c[0]}
		}
		if chosen, err := chooseMutants(only, c[1], 1); err == nil {
			t.Errorf("%q of %v: %v", c[1], only, slugs(chosen))
		}
	}
}

func TestASliceIsOne(t *testing.T) {
	for _, slice := range []string{"", "1", "0/3", "4/3", "1/8x", "1/8,2/8", "+1/8"} {
		if _, err := chooseMutants(nil, slice, 1); err == nil ||
			!strings.Contains(err.Error(), "K/N") {
			t.Errorf("slice %q: %v", slice, err)
		}
	}
}

// The mutants of a choice may all be in another slice of it.
func TestAChoiceThatIsEmptyIsRefused(t *testing.T) {
	for _, slice := range []string{"1/2", "2/2"} {
		chosen, err := chooseMutants([]string{"no-cap"}, slice, 1)
		if (err == nil) != (len(chosen) == 1) {
			t.Errorf("slice %s: %v, %v", slice, slugs(chosen), err)
		}
	}
}

func TestMutantsExitStatus(t *testing.T) {
	passed := proof.Kill{Named: []string{"storm"}}
	passed.Add(results.Run{Verdict: trial.Pass}, 0)
	for _, c := range []struct {
		name   string
		result proof.Kill
		want   int
	}{
		{"killed", proof.Kill{Slug: "a", Shown: true}, exitPass},
		{"survived", proof.Kill{Slug: "a"}, exitFail},
		{"not judged", proof.Kill{Slug: "a", Problem: "no engine"}, exitInfrastructure},
	} {
		r := mutantRun{options: options{out: io.Discard}, folder: t.TempDir()}
		r.note([]*proof.Kill{&passed, &c.result, nil})
		if got := exitStatus("mutants", r.concludeMutants()); got != c.want {
			t.Errorf("%s: exit status %d, want %d", c.name, got, c.want)
		}
	}
}

// A build that fails and an interrupt are no survival.
func TestMutantsThatCannotBeTried(t *testing.T) {
	broken := task{proof.Mutant{Slug: "a", Strategy: "registry"}, []string{"storm"}}
	r := mutantRun{root: t.TempDir(), scratch: t.TempDir(), folder: t.TempDir()}
	if got := r.try(t.Context(), broken); got.Judged() || got.Problem == "" {
		t.Error(got)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	o := options{results: t.TempDir(), out: io.Discard, progress: io.Discard}
	if got := exitStatus("mutants", o.runMutants(ctx, []proof.Mutant{broken.Mutant},
		1)); got != exitInconclusive {
		t.Errorf("interrupted: exit status %d", got)
	}
}
