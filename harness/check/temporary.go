package check

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"time"

	"github.com/reapcheck/reapcheck/harness/await"
	"github.com/reapcheck/reapcheck/harness/printable"
	"github.com/reapcheck/reapcheck/harness/sandbox"
	"github.com/reapcheck/reapcheck/harness/session"
	"github.com/reapcheck/reapcheck/harness/trial"
)

// TemporaryFiles promises that /tmp comes back to what it held before the first trial, or
// to slack more. It is for sandboxes that have a /tmp of their own (sandbox.Spec.Temp).
func TemporaryFiles(slack int) session.Watch {
	return func(_ context.Context, sb sandbox.Sandbox, within time.Duration) (session.Look, error) {
		before, err := temporary(sb)
		settling := await.Wait{
			For: "temporary files to be removed", Every: 10 * time.Millisecond, Limit: within,
			Slowest: within / 6,
		}
		return func(ctx context.Context) (checks []trial.Check, err error) {
			err = settling.Until(ctx, func() (seen any, settled bool, err error) {
				n, err := temporary(sb)
				check := trial.Check{
					Name: "temporary files",
					Want: fmt.Sprintf("at most %d within %s", before+slack, printable.Duration(within)),
					Got:  strconv.Itoa(n), OK: n <= before+slack,
				}
				checks = []trial.Check{check}
				return checks, check.OK, err
			})
			if errors.Is(err, await.ErrLimit) {
				err = nil // the check says it
			}
			return checks, err
		}, err
	}
}

// temporary counts what is in the sandbox's /tmp.
func temporary(sb sandbox.Sandbox) (int, error) {
	names, err := os.ReadDir(fmt.Sprintf("/proc/%d/root/tmp", sb.PID()))
	return len(names), err
}
