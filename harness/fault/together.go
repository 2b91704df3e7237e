package fault

import (
	"context"
	"errors"
	"strings"

	"github.com/reapcheck/reapcheck/harness/sandbox"
)

// Together is several faults that only work as one. It hits as often as the
// one of them that hit the least.
type Together []Fault

// Name joins the names.
func (t Together) Name() string {
	names := make([]string, len(t))
	for i, f := range t {
		names[i] = f.Name()
	}
	return strings.Join(names, " + ")
}

// Prepare lets each fault change the spec in turn.
func (t Together) Prepare(spec *sandbox.Spec) error {
	for _, f := range t {
		if err := f.Prepare(spec); err != nil {
			return err
		}
	}
	return nil
}

// Arm arms all faults or, on error, none.
func (t Together) Arm(ctx context.Context, sb sandbox.Sandbox) (Armed, error) {
	var all armedTogether
	for _, f := range t {
		armed, err := f.Arm(ctx, sb)
		if err != nil {
			return nil, errors.Join(err, all.Disarm(ctx))
		}
		all = append(all, armed)
	}
	return all, nil
}

type armedTogether []Armed

func (a armedTogether) Hits(ctx context.Context) (int64, string, error) {
	var least int64
	var notes []string
	var errs []error
	for i, armed := range a {
		hits, note, err := armed.Hits(ctx)
		errs = append(errs, err)
		if i == 0 || hits < least {
			least = hits
		}
		if note != "" {
			notes = append(notes, note)
		}
	}
	return least, strings.Join(notes, "; "), errors.Join(errs...)
}

// SoFar is the least of those that can tell, of which there must be one.
func (a armedTogether) SoFar(ctx context.Context) (least int64, err error) {
	first := true
	for _, armed := range a {
		counting, ok := armed.(Counting)
		if !ok {
			continue
		}
		hits, err := counting.SoFar(ctx)
		if err != nil {
			return 0, err
		}
		if first || hits < least {
			least, first = hits, false
		}
	}
	if first {
		return 0, errors.New("none of these faults counts between two trials")
	}
	return least, nil
}

func (a armedTogether) Disarm(ctx context.Context) error {
	var errs []error
	for _, armed := range a {
		errs = append(errs, armed.Disarm(ctx))
	}
	return errors.Join(errs...)
}

// Before and After reach those of the faults that steer.
func (a armedTogether) Before(ctx context.Context) {
	for _, armed := range a {
		if steering, ok := armed.(Steering); ok {
			steering.Before(ctx)
		}
	}
}

func (a armedTogether) After(output string) {
	for _, armed := range a {
		if steering, ok := armed.(Steering); ok {
			steering.After(output)
		}
	}
}
