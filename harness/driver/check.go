package driver

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/reapcheck/reapcheck/driver"
	"github.com/reapcheck/reapcheck/harness/dialect"
	"github.com/reapcheck/reapcheck/harness/trial"
)

// tryLimit is for one question. None takes longer than a second.
const tryLimit = 10 * time.Second

// Try asks what a driver alone may be able to: to kill a command and to abandon it. The
// other questions are dialect.Try's.
func (p *Process) Try(ctx context.Context) []dialect.Attempt {
	var all []dialect.Attempt
	for _, q := range []struct {
		can, wanted string
		request     driver.Request
		errand      errand
		ok          func(trial.Answer) bool
	}{
		{driver.CanKill, "exit code 137", driver.Request{Script: "exec sleep 60"},
			errand{killAfter: time.Second / 2, signal: 9},
			func(a trial.Answer) bool { return a.Known && a.Code == 128+9 }},
		{driver.CanAbandon, "abandoned", driver.Request{Script: "exec sleep 60"},
			errand{abandonAfter: time.Second / 2},
			func(a trial.Answer) bool { return a.HungUp }},
	} {
		if slices.Contains(p.hello.Can, q.can) && p.Problem() == nil {
			q.request.Argv = []string{"/bin/sh", "-c", q.request.Script}
			limited, cancel := context.WithTimeout(ctx, tryLimit)
			answer, came := p.ask(limited, q.request, q.errand)
			cancel()
			all = append(all, dialect.Attempt{Asked: q.can, Script: q.request.Script, Wanted: q.wanted,
				Understood: understood(answer), Came: string(came[:min(len(came), 300)]), OK: q.ok(answer)})
		}
	}
	return all
}

func understood(a trial.Answer) string {
	switch {
	case a.HungUp:
		return "abandoned"
	case a.Known:
		return fmt.Sprintf("exit code %d, output %.60q", a.Code, a.Output)
	}
	return "not understood: " + a.Message
}
