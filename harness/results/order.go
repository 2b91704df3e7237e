package results

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/reapcheck/reapcheck/harness/trial"
)

// sortArms puts arms in the order in which people read them: what belongs
// together side by side, the baseline first, and 8 before 64, 50ms before 1s.
func sortArms(arms []Arm) {
	var settings [][]string
	for _, a := range arms {
		if a.Plan.Role == trial.Candidate {
			settings = append(settings, words(strings.TrimPrefix(a.Plan.Arm, string(trial.Candidate))))
		}
	}
	slices.SortStableFunc(arms, func(a, b Arm) int {
		return cmp.Or(
			slices.CompareFunc(setting(a.Plan.Arm, settings), setting(b.Plan.Arm, settings), compareWords),
			cmp.Compare(roleRank(a.Plan.Role), roleRank(b.Plan.Role)),
			strings.Compare(a.Plan.Arm, b.Plan.Arm))
	})
}

func words(name string) []string {
	return strings.FieldsFunc(name, func(r rune) bool { return r == '-' })
}

// setting is what remains of an arm's name without the side that it is on: the
// longest end that some candidate has too. baseline-8 stands beside
// candidate-8, and naive beside candidate.
func setting(arm string, settings [][]string) []string {
	all := words(arm)
	for i := range all {
		if slices.ContainsFunc(settings, func(s []string) bool { return slices.Equal(s, all[i:]) }) {
			return all[i:]
		}
	}
	return nil
}

func roleRank(r trial.Role) int {
	switch r {
	case trial.Baseline:
		return 0
	case trial.Candidate:
		return 1
	}
	return 2
}

// compareWords orders numbers and durations by size, before other words.
func compareWords(a, b string) int {
	x, xok := size(a)
	y, yok := size(b)
	switch {
	case xok && yok:
		return cmp.Or(cmp.Compare(x, y), strings.Compare(a, b))
	case xok:
		return -1
	case yok:
		return 1
	}
	return strings.Compare(a, b)
}

func size(word string) (float64, bool) {
	if n, err := strconv.ParseFloat(word, 64); err == nil {
		return n, true
	}
	d, err := time.ParseDuration(word)
	return float64(d), err == nil
}
