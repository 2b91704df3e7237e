// Package machine knows what this machine can run: which runtimes there are and
// which of them a run takes, what the machine lacks, and what killed runs have left
// on it.
//
// Choose, Diagnose and Sweep are the front door.
package machine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/reapcheck/reapcheck/harness/sandbox"
	"github.com/reapcheck/reapcheck/harness/sandbox/docker"
	"github.com/reapcheck/reapcheck/harness/sandbox/namespace"
)

// Kind is one of the runtimes that there are.
type Kind struct {
	Name string
	sandbox.Traits
	enter func() error
	open  func(Config) sandbox.Runtime
}

// Config is what a run asks of its runtime, whichever that is.
type Config struct {
	// Run names the run: [a-z0-9-]+.
	Run string
	// Launcher is the path of the program that becomes each target where no engine
	// does that.
	Launcher string
	// Binaries are the programs that sandboxes will start.
	Binaries []string
	// BaseImage is the user's own choice; empty leaves it to the runtime.
	BaseImage string
	// CgroupParent is the control group in which an engine makes containers; empty
	// leaves it to the engine. Other sandboxes are in this process's own.
	CgroupParent string
}

// kinds are all runtimes. A new one has a line here.
var kinds = []Kind{
	{
		Name:   "docker",
		Traits: docker.Traits,
		open: func(c Config) sandbox.Runtime {
			return docker.New(docker.Config{
				Run:          c.Run,
				BaseImage:    c.BaseImage,
				Binaries:     c.Binaries,
				CgroupParent: c.CgroupParent,
			})
		},
	},
	{
		Name:   "namespace",
		Traits: namespace.Traits,
		enter:  namespace.BecomeRoot,
		open:   func(c Config) sandbox.Runtime { return namespace.New(c.Launcher) },
	},
}

// Enter gives this process the rights that the runtime needs. For an ordinary user
// it may not return: the command runs again with them. So it comes before anything
// is made or opened.
func (k Kind) Enter() error {
	if k.enter == nil {
		return nil
	}
	return k.enter()
}

// Open returns the runtime, which is to be prepared.
func (k Kind) Open(c Config) sandbox.Runtime { return k.open(c) }

// Auto leaves the choice of the runtime to this machine.
const Auto = "auto"

// Need is what a run must have of its runtime.
type Need struct {
	// Image: the target is an image.
	Image bool
	// BaseImage: the user has named a base image.
	BaseImage bool
	// OwnOnly: nothing is started but programs of this project.
	OwnOnly bool
}

// ErrChoice means that a runtime was asked for which there is not, or which cannot
// run what it is to run.
var ErrChoice = errors.New("cannot choose the runtime")

// Choose settles which runtime a run takes. A name stands if that runtime can do
// what is needed. Auto is the first one that can; of docker it must be so that an
// engine answers and its containers can be looked into, and why then says what
// became of the engine. The error of Auto wraps sandbox.ErrUnavailable and says what
// each runtime lacks.
func Choose(ctx context.Context, wish string, need Need) (kind Kind, why string, err error) {
	switch {
	case wish != Auto:
		kind, err = named(wish, need)
		return kind, "", err
	case need.OwnOnly && namespace.Try() == nil:
		return ofName("namespace"), "", nil
	case need.Image || need.BaseImage && !need.OwnOnly:
		return kinds[slices.IndexFunc(kinds, func(k Kind) bool { return k.TakesImages })], "", nil
	}
	errDocker := docker.Answers(ctx)
	if ctx.Err() != nil {
		return Kind{}, "", context.Cause(ctx)
	}
	if errDocker == nil {
		name, why := besideEngine(viewOfRoot())
		return ofName(name), why, nil
	}
	if errNamespace := namespace.Try(); errNamespace != nil {
		return Kind{}, "", fmt.Errorf("choose a runtime: %w", errors.Join(errDocker, errNamespace))
	}
	var p *sandbox.Problem
	if errors.As(errDocker, &p) {
		why = p.Brief()
	}
	return ofName("namespace"), why, nil
}

func named(name string, need Need) (Kind, error) {
	kind := ofName(name)
	switch {
	case kind.Name == "":
		return kind, fmt.Errorf("%w: %q is unknown: choose %s", ErrChoice, name, Names())
	case need.Image && !kind.TakesImages:
		return kind, fmt.Errorf("%w: %s cannot run an image: choose another one, or give a binary", ErrChoice, name)
	}
	return kind, nil
}

// ofName is the zero Kind where there is none of that name.
func ofName(name string) Kind {
	for _, k := range kinds {
		if k.Name == name {
			return k
		}
	}
	return Kind{}
}

// Names are all that a user may wish for, in words.
func Names() string {
	names := []string{Auto}
	for _, k := range kinds {
		names = append(names, k.Name)
	}
	last := len(names) - 1
	return strings.Join(names[:last], ", ") + " or " + names[last]
}

// besideEngine chooses where an engine answers. Of what runs in its containers an
// ordinary user sees too little; a namespace's processes are their own.
func besideEngine(view error) (name, why string) {
	if checkView(view).OK || namespace.Try() != nil {
		return "docker", ""
	}
	return "namespace", "this user may not look into the engine's containers"
}
