package check

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"time"

	"github.com/reapcheck/reapcheck/harness/evidence"
	"github.com/reapcheck/reapcheck/harness/printable"
	"github.com/reapcheck/reapcheck/harness/sandbox"
	"github.com/reapcheck/reapcheck/harness/session"
	"github.com/reapcheck/reapcheck/harness/trial"
)

// TemporaryFiles promises that sandbox.TempFolders come back to what they held before the
// first trial, or to slack more. It is for sandboxes that have them for themselves
// (sandbox.Spec.Temp).
func TemporaryFiles(slack int) session.Watch {
	return func(_ context.Context, sb sandbox.Sandbox, within time.Duration) (session.Look, error) {
		before, err := temporary(sb)
		return settles(within, func() ([]trial.Check, bool, error) {
			n, err := temporary(sb)
			ok := n <= before+slack
			return []trial.Check{{
				Name: evidence.TemporaryFiles,
				Want: fmt.Sprintf("at most %d within %s", before+slack, printable.Duration(within)),
				Got:  strconv.Itoa(n), OK: ok,
			}}, ok, err
		}), err
	}
}

// temporary counts what is in the folders for temporary files.
func temporary(sb sandbox.Sandbox) (n int, err error) {
	for _, folder := range sandbox.TempFolders {
		folder = sandbox.Inside(sb, folder)
		info, err := os.Lstat(folder)
		switch {
		case errors.Is(err, os.ErrNotExist):
			continue
		case err != nil:
			return 0, err
		case !info.IsDir():
			continue // a link leads to another of them, or to this machine's
		}
		names, err := os.ReadDir(folder)
		if err != nil {
			return 0, err
		}
		n += len(names)
	}
	return n, nil
}
