package fault

import "context"

type trialKey struct{}

// OfTrial is the context of PerTrial.Before, which tells a fault which trial is to
// begin: those that are in flight together begin in any order.
func OfTrial(ctx context.Context, index int) context.Context {
	return context.WithValue(ctx, trialKey{}, index)
}

// trialOf is the trial that a context is of.
func trialOf(ctx context.Context) int {
	index, _ := ctx.Value(trialKey{}).(int)
	return index
}
