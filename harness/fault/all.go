package fault

import (
	"context"
	"errors"
	"strings"

	"github.com/reapcheck/reapcheck/harness/sandbox"
)

// All is several faults that only work as one. It hits as often as the
// one of them that hit the least.
type All []Fault

// Name joins the names.
func (t All) Name() string {
	names := make([]string, len(t))
	for i, f := range t {
		names[i] = f.Name()
	}
	return strings.Join(names, " + ")
}

// Prepare lets each fault change the spec in turn.
func (t All) Prepare(spec *sandbox.Spec) error {
	for _, f := range t {
		if err := f.Prepare(spec); err != nil {
			return err
		}
	}
	return nil
}

// Inject injects all faults or, on error, none.
func (t All) Inject(ctx context.Context, sb sandbox.Sandbox) (Injection, error) {
	var all allInjected
	for _, f := range t {
		injected, err := f.Inject(ctx, sb)
		if err != nil {
			return nil, errors.Join(err, all.Undo(ctx))
		}
		all = append(all, injected)
	}
	return all, nil
}

type allInjected []Injection

func (all allInjected) Hits(ctx context.Context) (int64, string, error) {
	var least int64
	var notes []string
	var errs []error
	for i, injected := range all {
		hits, note, err := injected.Hits(ctx)
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
func (all allInjected) SoFar(ctx context.Context) (least int64, err error) {
	first := true
	for _, injected := range all {
		counting, ok := injected.(Counting)
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

func (all allInjected) Undo(ctx context.Context) error {
	var errs []error
	for _, injected := range all {
		errs = append(errs, injected.Undo(ctx))
	}
	return errors.Join(errs...)
}

// Before and After reach those of the faults that act per trial.
func (all allInjected) Before(ctx context.Context) {
	for _, injected := range all {
		if perTrial, ok := injected.(PerTrial); ok {
			perTrial.Before(ctx)
		}
	}
}

func (all allInjected) After(output string) {
	for _, injected := range all {
		if perTrial, ok := injected.(PerTrial); ok {
			perTrial.After(output)
		}
	}
}
