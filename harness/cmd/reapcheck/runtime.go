package main

import (
	"context"
	"maps"
	"path/filepath"
	"slices"

	"github.com/reapcheck/reapcheck/harness/machine"
	"github.com/reapcheck/reapcheck/harness/sandbox"
	"github.com/reapcheck/reapcheck/harness/session"
	"github.com/reapcheck/reapcheck/harness/target"
)

// settleRuntime chooses the runtime and says why, in brackets. It may not return: see
// machine.Kind.Enter.
func (o *options) settleRuntime(ctx context.Context) (why string, err error) {
	o.kind, why, err = machine.Choose(ctx, o.runtime, machine.Need{
		Image:     o.candidate.Image != "",
		BaseImage: o.baseImage != "",
		OwnOnly:   o.candidate.URL != "",
	})
	if err != nil {
		return "", err
	}
	o.runtime = o.kind.Name
	if why != "" {
		why = " (" + why + ")"
	}
	return why, o.kind.Enter()
}

// prepare makes the runtime ready, once it is settled.
func (o options) prepare(ctx context.Context, id string, daemons map[target.Build]string, progress *session.Progress) (sandbox.Runtime, error) {
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

// baked are the programs that the run's image carries: all that sandboxes will
// start, but a candidate that has the name of one of ours, since the image has
// one folder for them. That one is copied into each of its containers.
func (o options) baked(daemons map[target.Build]string) []string {
	paths := slices.Collect(maps.Values(daemons))
	same := func(path string) bool { return filepath.Base(path) == filepath.Base(o.candidate.Binary) }
	if o.candidate.Binary != "" && !slices.ContainsFunc(paths, same) {
		paths = append(paths, o.candidate.Binary)
	}
	return paths
}

// closeRuntime cleans up also after an interrupt.
func closeRuntime(ctx context.Context, rt sandbox.Runtime, progress *session.Progress) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeLimit)
	defer cancel()
	if err := rt.Close(ctx); err != nil {
		progress.Say("clean up: %v; `reapcheck sweep` removes what is left", err)
	}
}
