package fault

import (
	"context"
	"errors"
	"time"
)

// endLimit is how long the end of a sandbox may take to be known.
const endLimit = time.Second

// over says whether a sandbox has ended: a target that dies under a fault is a
// finding, and no trouble of the fault's.
func over(ctx context.Context, ended <-chan struct{}) bool {
	ctx, cancel := context.WithTimeout(ctx, endLimit)
	defer cancel()
	select {
	case <-ended:
		return true
	case <-ctx.Done():
		return !errors.Is(context.Cause(ctx), context.DeadlineExceeded)
	}
}
