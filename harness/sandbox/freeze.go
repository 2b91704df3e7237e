package sandbox

import "context"

// Freezer is a Sandbox that can be stopped as a whole from outside. Its clocks
// go on.
type Freezer interface {
	// Freeze returns when nothing in the sandbox runs any more. Thaw must follow.
	Freeze(ctx context.Context) error
	// Thaw lets run on what Freeze has stopped.
	Thaw(ctx context.Context) error
}
