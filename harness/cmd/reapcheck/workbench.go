package main

import (
	"context"
	"maps"
	"path/filepath"
	"slices"
	"time"

	"github.com/reapcheck/reapcheck/harness/fault/seccomp"
	"github.com/reapcheck/reapcheck/harness/machine"
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

// bringUp makes the hub and the runtime ready. What came up is taken down by takeDown,
// also on error.
func (o options) bringUp(ctx context.Context, id string, daemons map[target.Build]string,
	progress *session.Progress) (
	hub *seccomp.Hub, rt sandbox.Runtime, takeDown func() error, err error) {
	if hub, err = o.openHub(ctx); err != nil {
		return nil, nil, func() error { return nil }, err
	}
	if rt, err = o.prepare(ctx, id, daemons, progress); err != nil {
		return nil, nil, hub.Close, err
	}
	takeDown = func() error {
		closeRuntime(ctx, rt, progress)
		return hub.Close() // after the last sandbox
	}
	return hub, rt, takeDown, nil
}

// openHub makes the launcher ready.
func (o options) openHub(ctx context.Context) (*seccomp.Hub, error) {
	path, err := target.Find(ctx, target.Launcher, o.daemons)
	if err != nil {
		return nil, err
	}
	return seccomp.Open(path)
}

// prepare makes the runtime ready, once it is chosen.
func (o options) prepare(ctx context.Context, id string, daemons map[target.Build]string,
	progress *session.Progress) (sandbox.Runtime, error) {
	// Of this module's programs it comes up the soonest, in a third of this one's time.
	launcher, err := target.Find(ctx, target.Launcher, o.daemons)
	if err != nil {
		return nil, err
	}
	rt := o.kind.Open(machine.Config{
		Run:          id,
		Launcher:     launcher,
		Binaries:     o.baked(daemons),
		BaseImage:    o.baseImage,
		CgroupParent: o.cgroupParent,
	})
	if err := rt.Prepare(ctx, progress); err != nil {
		closeRuntime(ctx, rt, progress)
		return nil, err
	}
	return rt, nil
}

// closeRuntime cleans up also after an interrupt.
func closeRuntime(ctx context.Context, rt sandbox.Runtime, progress *session.Progress) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeLimit)
	defer cancel()
	if err := rt.Close(ctx); err != nil {
		progress.Say("clean up: %v; `reapcheck sweep` removes what is left", err)
	}
}

// closeLimit bounds the removal of all that a runtime made.
const closeLimit = time.Minute

// baked are the programs that the run's image carries: all that sandboxes will
// start, but a candidate that has the name of one of ours, since the image has
// one folder for them. That one is copied into each of its containers.
func (o options) baked(daemons map[target.Build]string) []string {
	paths := slices.Collect(maps.Values(daemons))
	same := func(path string) bool {
		return filepath.Base(path) == filepath.Base(o.candidate.Binary)
	}
	if o.candidate.Binary != "" && !slices.ContainsFunc(paths, same) {
		paths = append(paths, o.candidate.Binary)
	}
	return paths
}
