package session

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/reapcheck/reapcheck/harness/dialect"
	"github.com/reapcheck/reapcheck/harness/fault"
	"github.com/reapcheck/reapcheck/harness/load"
	"github.com/reapcheck/reapcheck/harness/sandbox"
	"github.com/reapcheck/reapcheck/harness/target"
	"github.com/reapcheck/reapcheck/harness/trial"
)

// targetOf is what an arm runs.
func (s *Session) targetOf(a Arm) target.Target {
	if a.Role != trial.Baseline {
		return s.Candidate
	}
	d := dialect.ProcessExecute()
	if a.Build == target.Naive {
		d = d.WithoutBytes() // and what is no text must not show what it does wrong
	}
	return target.Target{Build: a.Build, Strategy: a.Strategy, Dialect: d}
}

// command is what a trial asks, in what the dialect can say: where it has no
// field for the folder, a shell that runs says that there is none.
func (a *runningArm) command(index int) load.Command {
	c := a.Commands(index, load.Random(a.session.Seed, a.scenario, index))
	if c.Want.NotRun && c.Cwd != "" && !a.target.Dialect.Says("<cwd>") {
		c.Want = trial.Want{Code: dialect.NoFolder, AnyOutput: true, MayTimeout: c.Want.MayTimeout}
	}
	c.Timeout = a.target.Dialect.Timeout(c.Timeout)
	return c
}

// longer is by how much a timeout of the arm's commands is longer than was asked, since
// the dialect has no word for less. The arm's limits follow.
func (a *runningArm) longer() (most time.Duration) {
	d := a.target.Dialect
	if d.Timeout(time.Nanosecond) == time.Nanosecond {
		return 0
	}
	const kinds = 256 // more than any scenario has
	for i := range min(a.Trials, kinds) {
		asked := a.Commands(i, load.Random(a.session.Seed, a.scenario, i)).Timeout
		most = max(most, d.Timeout(asked)-asked)
	}
	return most
}

// fitLimits lets the arm's limits follow its commands' timeouts.
func (a *runningArm) fitLimits() {
	if a.Commands == nil {
		return
	}
	more := a.longer()
	if a.Deadline > 0 {
		a.Deadline += more
	}
	if a.Prompt > 0 {
		a.Prompt += more
	}
}

// sayable declines a scenario whose commands the dialect has no words for.
// What the shell can say in its stead, the client leaves to the shell.
func (a *runningArm) sayable() error {
	d := a.target.Dialect
	if a.ByOutput && len(d.Response.Output) == 0 {
		return unsaid{fmt.Sprintf("%s does not say where the output is", d.Called())}
	}
	if a.ByInput && !d.SaysInput() {
		return unsaid{fmt.Sprintf("%s has no field for a command's input", d.Called())}
	}
	switch {
	case a.Orders != nil && NoOrders(d) != "":
		return unsaid{NoOrders(d)}
	case a.Orders != nil || d.TimesOut() && d.Simple():
		return nil
	}
	for i := range a.Trials {
		if why := unsayable(a.command(i), d); why != "" {
			return unsaid{why}
		}
	}
	return nil
}

// NoOrders says in words why no orders can be tried over a dialect; it is empty where they
// can.
func NoOrders(d dialect.Dialect) string {
	if d.Simple() {
		return ""
	}
	return d.Called() + " does not ask by one HTTP request, over which orders are tried"
}

// unsayable is why a dialect has no words for a command; empty for one that it can ask for.
func unsayable(c load.Command, d dialect.Dialect) string {
	switch {
	case c.Timeout > 0 && !d.SaysTimeout():
		return fmt.Sprintf("%s has no field for a timeout", d.Called())
	case c.Timeout > 0 && !d.TellsTimeout():
		return fmt.Sprintf("%s has no word for a timeout", d.Called())
	case c.HangUpAfter > 0 && !d.HangsUp():
		return fmt.Sprintf("%s cannot let a client hang up", d.Called())
	case c.Unusual() && !d.Simple():
		return fmt.Sprintf("%s does not ask by one HTTP request, which this is about", d.Called())
	}
	return ""
}

// reachable declines what a target at a URL cannot host: it runs already, and
// perhaps on another machine.
func (a *runningArm) reachable() error {
	if a.target.URL == "" || a.Fault == nil && a.Watch == nil && a.Ends == "" && a.Refusal == "" &&
		a.session.WaitPath != Fallback {
		return nil
	}
	return fmt.Errorf(
		"%w: a target at a URL runs already: nothing can be injected into it or seen of it but "+
			"its answers", fault.ErrDeclined)
}

// launch starts the arm's target, or takes the one that runs already.
func (a *runningArm) launch(ctx context.Context, spec sandbox.Spec) (sandbox.Sandbox, error) {
	if a.target.URL != "" {
		return remote{name: spec.Name, url: a.target.URL}, nil
	}
	return a.session.Runtime.Start(ctx, spec)
}

// remote stands for a target that runs already. Nothing is known of it.
type remote struct{ name, url string }

func (r remote) Name() string        { return r.name }
func (r remote) URL() string         { return r.url }
func (remote) PID() int              { return 0 }
func (remote) Log() []byte           { return nil }
func (remote) Done() <-chan struct{} { return nil }
func (remote) Ended() string         { return "" }
func (remote) Signal(context.Context, os.Signal) error {
	return errors.New("a target at a URL takes no signals from here")
}
func (remote) Stop(context.Context) error { return nil }
