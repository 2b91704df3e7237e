package main

import (
	"context"
	"maps"
	"path/filepath"
	"slices"

	"github.com/reapcheck/reapcheck/harness/sandbox"
	"github.com/reapcheck/reapcheck/harness/session"
	"github.com/reapcheck/reapcheck/harness/target"
)

// settleRuntime replaces "auto" and says why, in brackets. For an ordinary user
// who is to have namespaces it does not return: the command runs again as root
// of a user namespace. So it comes before anything is made.
func (o *options) settleRuntime(ctx context.Context) (why string, err error) {
	choose := sandbox.Choose
	if o.candidate.URL != "" {
		choose = sandbox.ChooseForControl
	} else if o.runtime == "auto" && o.baseImage != "" {
		o.runtime = "docker" // a namespace has this machine's own files
	}
	name, why, err := choose(ctx, o.runtime)
	if err != nil {
		return "", err
	}
	o.runtime = name
	if name == "namespace" {
		err = sandbox.BecomeRoot()
	}
	if why != "" {
		why = " (" + why + ")"
	}
	return why, err
}

// prepare makes the runtime ready, once it is settled.
func (o options) prepare(ctx context.Context, id string, daemons map[target.Build]string, progress *session.Progress) (sandbox.Runtime, error) {
	rt, err := o.newRuntime(ctx, id, daemons)
	if err != nil {
		return nil, err
	}
	if err := rt.Prepare(ctx, progress); err != nil {
		closeRuntime(ctx, rt, progress)
		return nil, err
	}
	return rt, nil
}

func (o options) newRuntime(ctx context.Context, id string, daemons map[target.Build]string) (sandbox.Runtime, error) {
	if o.runtime == "docker" {
		return sandbox.NewDocker(sandbox.DockerConfig{Run: id, BaseImage: o.baseImage, Binaries: o.baked(daemons)}), nil
	}
	// Of this module's programs it comes up the soonest, in a third of this one's time.
	launcher, err := target.Find(ctx, target.Launcher, o.daemons)
	return sandbox.NewNamespace(launcher), err
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
