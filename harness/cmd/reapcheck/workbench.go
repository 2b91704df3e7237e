package main

import (
	"context"

	"github.com/reapcheck/reapcheck/harness/fault/seccomp"
	"github.com/reapcheck/reapcheck/harness/sandbox"
	"github.com/reapcheck/reapcheck/harness/session"
	"github.com/reapcheck/reapcheck/harness/target"
)

// workbench is where targets are explored and measured, beside the scenarios.
type workbench struct {
	runtime sandbox.Runtime
	hub     *seccomp.Hub
	daemons map[target.Build]string
	seed    uint64
}

// workbench brings up what measures the reference daemon, ordinary build. takeDown is to
// be called also on error.
func (o options) workbench(ctx context.Context, id string, progress *session.Progress) (
	w workbench, takeDown func() error, err error) {
	daemon, err := target.Find(ctx, target.Ordinary, o.daemons)
	if err != nil {
		return w, func() error { return nil }, err
	}
	w = workbench{daemons: map[target.Build]string{target.Ordinary: daemon}, seed: o.seed}
	w.hub, w.runtime, takeDown, err = o.bringUp(ctx, id, w.daemons, progress)
	return w, takeDown, err
}

// pace is how fast this machine is.
func (w workbench) pace(ctx context.Context) (session.Pace, error) {
	s := &session.Session{
		Runtime: w.runtime, Seed: w.seed, Daemons: w.daemons,
		Candidate: target.Reference("registry"),
	}
	return s.Measure(ctx)
}
