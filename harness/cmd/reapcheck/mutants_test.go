package main

import (
	"slices"
	"testing"

	"github.com/reapcheck/reapcheck/fixtures/mutants"
	"github.com/reapcheck/reapcheck/harness/mutant"
	"github.com/reapcheck/reapcheck/scenarios"
)

func slugs(all []mutant.Mutant) []string {
	var names []string
	for _, m := range all {
		names = append(names, m.Slug)
	}
	return names
}

func TestEveryMutantNamesAScenarioAndAStrategy(t *testing.T) {
	all, err := mutant.Load(mutants.Patches)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range all {
		if _, err := scenarios.Select([]string{m.KilledBy}, scenarios.Inside); err != nil {
			t.Errorf("%s: %v", m.Slug, err)
		}
		if !slices.Contains(strategies, m.Strategy) {
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
	var parts []mutant.Mutant
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
	for _, c := range [][2]string{{"nonsense", "1/1"}, {"", "0/3"}, {"", "4/3"}, {"", "half"}} {
		var only []string
		if c[0] != "" {
			only = []string{c[0]}
		}
		if chosen, err := chooseMutants(only, c[1], 1); err == nil {
			t.Errorf("%q of %v: %v", c[1], only, slugs(chosen))
		}
	}
}
