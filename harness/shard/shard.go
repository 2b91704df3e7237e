// Package shard splits one plan over several machines, so that every trial of it is in
// exactly one shard.
//
// Parse and FromEnvironment say which shard this is, Deal which shards have a scenario,
// and Place.Share which trials of an arm. The package is pure: what it says depends on
// the plan alone, and never on the machine, or two shards would have split two plans.
package shard

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Place is one of some shards. The zero Place is a run that is not split.
type Place struct {
	// Number counts from 1.
	Number int `json:"number"`
	Of     int `json:"of"`
}

// Most is far above what anybody starts, and bounds what a number can ask for.
const Most = 100_000

// Whole says whether there is nothing to split.
func (p Place) Whole() bool { return p.Of == 0 }

// String is K/N, as Parse reads it; 0/0 for a whole run.
func (p Place) String() string { return fmt.Sprintf("%d/%d", p.Number, p.Of) }

// Check says what is wrong with a place; nil for a whole run.
func (p Place) Check() error {
	if p == (Place{}) {
		return nil
	}
	if p.Of < 1 || p.Of > Most || p.Number < 1 || p.Number > p.Of {
		return fmt.Errorf("shard %v is invalid: choose K/N with 1 <= K <= N <= %d", p, Most)
	}
	return nil
}

// Has says whether the shard has the case with this index, where each is whole and one
// shard has as many as another, or one more.
func (p Place) Has(index int) bool { return p.Whole() || index%p.Of == p.Number-1 }

// ErrNoPlace means that nothing says which shard this is.
var ErrNoPlace = errors.New("no variable says which shard this is")

// Parse reads K/N. With auto/N and auto, lookup finds the variables of the engine
// that has started this shard. An empty text is a whole run.
func Parse(text string, lookup func(string) (string, bool)) (Place, error) {
	if text == "" {
		return Place{}, nil
	}
	number, of, split := strings.Cut(text, "/")
	var p Place
	var err error
	if number == "auto" {
		p, err = FromEnvironment(lookup)
	} else {
		p.Number, err = count(number)
	}
	if err != nil {
		return Place{}, fmt.Errorf("shard %q: %w", text, err)
	}
	if split {
		if p.Of, err = count(of); err != nil {
			return Place{}, fmt.Errorf("shard %q: %w", text, err)
		}
	}
	if p.Of == 0 {
		return Place{}, fmt.Errorf("shard %q does not say of how many: write %s/N", text, number)
	}
	return p, p.Check()
}

func count(text string) (int, error) {
	n, err := strconv.Atoi(text)
	if err != nil || text != strconv.Itoa(n) {
		return 0, fmt.Errorf("%q is not a number: write K/N, auto/N or auto", text)
	}
	return n, nil
}

// engine is how one system tells its jobs apart.
type engine struct {
	number, of string
	// first is the number of the first job.
	first int
	// nameFirst is set where the first job has a name in the place of its number.
	nameFirst bool
}

// engines are looked at in this order. Where a system does not say how many jobs there
// are, of is empty.
var engines = []engine{
	{number: "JOB_COMPLETION_INDEX"}, // Kubernetes Indexed Job
	// Swarm's {{.Task.Slot}}: the slots of a replicated job begin at 0, for which that
	// gives the name of the node, as for a task that has no slot.
	{number: "REAPCHECK_TASK_SLOT", nameFirst: true},
	{number: "CI_NODE_INDEX", of: "CI_NODE_TOTAL", first: 1}, // GitLab parallel
	{number: "CIRCLE_NODE_INDEX", of: "CIRCLE_NODE_TOTAL"},   // CircleCI parallelism
	{number: "BUILDKITE_PARALLEL_JOB", of: "BUILDKITE_PARALLEL_JOB_COUNT"},
	{number: "AWS_BATCH_JOB_ARRAY_INDEX"},
	{number: "SLURM_ARRAY_TASK_ID", of: "SLURM_ARRAY_TASK_COUNT"}, // of --array=0-N
}

// FromEnvironment is the place that an engine has given this process. Of is 0 where the
// engine does not say it.
func FromEnvironment(lookup func(string) (string, bool)) (Place, error) {
	for _, e := range engines {
		text, ok := lookup(e.number)
		if !ok || text == "" {
			continue
		}
		number, err := strconv.Atoi(text)
		if err != nil && e.nameFirst {
			number, err = e.first, nil
		}
		if err != nil {
			return Place{}, fmt.Errorf("%s=%q is not a number", e.number, text)
		}
		p := Place{Number: number - e.first + 1}
		if total, ok := lookup(e.of); ok && e.of != "" {
			if p.Of, err = strconv.Atoi(total); err != nil {
				return Place{}, fmt.Errorf("%s=%q is not a number", e.of, total)
			}
		}
		return p, nil
	}
	var known []string
	for _, e := range engines {
		known = append(known, e.number)
	}
	return Place{}, fmt.Errorf("%w: none of %s is set", ErrNoPlace, strings.Join(known, ", "))
}
