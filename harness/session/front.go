package session

import (
	"context"
	"fmt"

	"github.com/reapcheck/reapcheck/harness/client"
	"github.com/reapcheck/reapcheck/harness/fault"
	"github.com/reapcheck/reapcheck/harness/load"
	"github.com/reapcheck/reapcheck/harness/sandbox"
	"github.com/reapcheck/reapcheck/harness/trial"
)

// knownCommands are tried behind a front: one that is right shows that commands run
// there, and a daemon that races loses no five in a row.
const knownCommands = 5

// checkFront declines a target that does not run commands behind the launcher, while
// nothing is held: one that runs them by sudo, which no_new_privs takes the effect
// from, answers with sudo's code, and that is not the target's doing. A target of
// ours has no such helper.
func (a *runningArm) checkFront(ctx context.Context, front sandbox.Front) error {
	if front.Program == "" || a.target.Ours() {
		return nil
	}
	asking := client.New(a.sandbox.URL(), a.target.Dialect, 1, sandbox.Transport(a.sandbox))
	defer asking.Close()
	var last string
	for i := range knownCommands {
		outcome, detail := a.ask(ctx, asking, i)
		if outcome != trial.Wrong && outcome != trial.Error {
			return nil
		}
		last = detail
	}
	return fmt.Errorf("%w: behind the launcher this target ran none of %d known commands right, with nothing held: "+
		"a helper such as sudo, which no_new_privs takes the effect from, may stand between them; the last: %s",
		fault.ErrDeclined, knownCommands, last)
}

// ask tries a command that is no trial.
func (a *runningArm) ask(ctx context.Context, c *client.Client, index int) (trial.Outcome, string) {
	ctx, cancel := context.WithTimeout(ctx, a.session.Patience(DefaultDeadline))
	defer cancel()
	cmd := load.Instant(index, load.Random(a.session.Seed, "known", index))
	return trial.Classify(a.target.Dialect.Want(cmd.Want), c.Execute(ctx, cmd.Request))
}
