package machine

import (
	"context"
	"errors"

	"github.com/reapcheck/reapcheck/harness/owner"
	"github.com/reapcheck/reapcheck/harness/sandbox"
	"github.com/reapcheck/reapcheck/harness/sandbox/docker"
	"github.com/reapcheck/reapcheck/harness/sandbox/namespace"
)

// Swept counts what a sweep removed.
type Swept struct{ Containers, Images, Folders int }

// Sweep removes what runs have left behind that were killed. Runs that are alive are
// not touched.
func Sweep(ctx context.Context) (Swept, error) {
	folders, errFolders := owner.SweepFolders()
	groups, errGroups := namespace.SweepGroups()
	engine, errEngine := docker.Sweep(ctx)
	if errors.Is(errEngine, sandbox.ErrUnavailable) {
		errEngine = nil // without an engine there is nothing to remove
	}
	swept := Swept{
		Containers: engine.Containers,
		Images:     engine.Images,
		Folders:    folders + groups,
	}
	return swept, errors.Join(errFolders, errGroups, errEngine)
}
