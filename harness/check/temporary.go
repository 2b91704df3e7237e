package check

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"time"

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
		return settles(within, func() ([]trial.Check, bool, error) {
			n, err := temporary(sb)
			ok := n <= before+slack
			return []trial.Check{{
				Name: "temporary files",
				Want: fmt.Sprintf("at most %d within %s", before+slack, printable.Duration(within)),
				Got:  strconv.Itoa(n), OK: ok,
			}}, ok, err
		}), err
	}
}

// temporary counts what is in the sandbox's /tmp.
func temporary(sb sandbox.Sandbox) (int, error) {
	names, err := os.ReadDir(sandbox.Temp(sb))
	return len(names), err
}
