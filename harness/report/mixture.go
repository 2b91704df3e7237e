package report

import (
	"fmt"
	"path"
	"slices"
	"strings"
)

// mixture says why the recordings are not those of this scenario in this run,
// all of them and no others: a folder may have been copied in parts. It is empty
// where they are. A recording without a plan is damaged, and judged as that.
func (f *Finding) mixture(run string) string {
	have := map[string]bool{}
	for _, a := range f.Arms {
		have[strings.TrimSuffix(path.Base(a.Recording), ".jsonl")] = true
	}
	for _, a := range f.Arms {
		stem := strings.TrimSuffix(path.Base(a.Recording), ".jsonl")
		switch {
		case a.Damage != "":
		case a.Plan.Run != run:
			return fmt.Sprintf("%s was recorded in another run, %q", a.Recording, a.Plan.Run)
		case a.Plan.Scenario != f.ID || a.Plan.Arm != stem || !slices.Contains(a.Plan.Arms, stem):
			return fmt.Sprintf("%s is the recording of %s/%s", a.Recording, a.Plan.Scenario, a.Plan.Arm)
		}
		for _, name := range a.Plan.Arms {
			if !have[name] {
				return fmt.Sprintf("the recording of %s is missing", name)
			}
		}
	}
	return ""
}
