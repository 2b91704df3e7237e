// Package scenarios holds the findings, one file each, as a Ginkgo suite in an
// ordinary package: `go test` and the command run the same specs.
//
// Run and List are the front door. A file reads without the others: above the
// scenario stands why the defect happens, in it what is done and what each arm
// must show. A spec is green when the claims of all its arms hold, so the
// baseline's failure is an expected finding and never a red spec.
package scenarios

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/onsi/ginkgo/v2"
	"github.com/onsi/ginkgo/v2/formatter"
	"github.com/onsi/gomega"

	"github.com/reapcheck/reapcheck/harness/results"
	"github.com/reapcheck/reapcheck/harness/session"
	"github.com/reapcheck/reapcheck/harness/trial"
)

// current is the run that the specs report from. Ginkgo's specs are closures
// without parameters, so it cannot be handed to them.
var current *running

// Run runs the chosen scenarios in a session, several at a time, in an order
// drawn from the seed. Ginkgo's own account goes to w. The result is true when
// every spec is green; the verdict is drawn from the recordings and not from
// here. It returns when all experiments have ended; ctx ends them early.
func Run(ctx context.Context, s *session.Session, chosen []trial.Scenario, w io.Writer) bool {
	ctx, stop := context.WithCancel(ctx)
	current = begin(ctx, s, chosen)
	defer func() {
		stop()
		<-current.over
	}()
	formatter.ColorableStdOut = w
	formatter.ColorableStdErr = w
	suite, reporter := ginkgo.GinkgoConfiguration()
	suite.LabelFilter = anyOf(chosen)
	suite.FailOnEmpty = true
	suite.Timeout = suiteLimit(s)
	reporter.Succinct, reporter.NoColor = true, true
	var outcome bareTest
	gomega.RegisterFailHandler(ginkgo.Fail)
	return ginkgo.RunSpecs(&outcome, "reapcheck", suite, reporter) && !outcome.failed
}

// running are experiments on their way.
type running struct {
	results map[string]chan result
	over    chan struct{}
}

type result struct {
	finding session.Finding
	err     error
}

// Fit scales the run to its machine, unless the session has a factor already, and says
// about how long the run will take.
func Fit(s *session.Session, chosen []trial.Scenario) (takes time.Duration) {
	estimate := func(scale session.Scale) time.Duration {
		s.Scale = scale
		return s.Estimate(experiments(s, chosen))
	}
	if s.Scale.Factor > 0 {
		return estimate(s.Scale)
	}
	s.Scale, takes = s.Scale.Fit(estimate)
	return takes
}

// experiments are the plans of the chosen scenarios.
func experiments(s *session.Session, chosen []trial.Scenario) []session.Experiment {
	all := make([]session.Experiment, len(chosen))
	for i, c := range chosen {
		all[i] = plans[c.ID](s).Part(s.Parts[c.ID])
		all[i].Scenario = c.ID
		if u := s.Uncontested; u.Why != "" {
			all[i].Arms = withoutHeld(all[i].Arms, u.WaitsForNone)
		}
	}
	return all
}

// Planned are the chosen scenarios as they are dealt out to shards, in an order drawn
// from the seed. The session must have no parts yet.
func Planned(s *session.Session, chosen []trial.Scenario) []results.PlannedScenario {
	all := make([]results.PlannedScenario, len(chosen))
	for i, e := range experiments(s, chosen) {
		all[i] = results.PlannedScenario{Scenario: chosen[i], Parts: e.Parts()}
	}
	order := rand.New(rand.NewPCG(s.Seed, 1))
	order.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	return all
}

// begin starts the experiments of the chosen scenarios.
func begin(ctx context.Context, s *session.Session, chosen []trial.Scenario) *running {
	r := &running{results: map[string]chan result{}, over: make(chan struct{})}
	experiments := experiments(s, chosen)
	for _, c := range chosen {
		r.results[c.ID] = make(chan result, 1)
	}
	order := rand.New(rand.NewPCG(s.Seed, 0))
	order.Shuffle(len(experiments),
		func(i, j int) { experiments[i], experiments[j] = experiments[j], experiments[i] })
	go func() {
		defer close(r.over)
		defer tidy(s)
		s.RunAll(ctx, experiments, func(e session.Experiment, f session.Finding, err error) {
			r.results[e.Scenario] <- result{f, err}
		})
	}()
	return r
}

// wait returns what a scenario's experiment has come to.
func (r *running) wait(ctx context.Context, id string) (session.Finding, error) {
	select {
	case got := <-r.results[id]:
		return got.finding, got.err
	case <-ctx.Done():
		return session.Finding{}, ctx.Err()
	case <-r.over:
	}
	select {
	case got := <-r.results[id]:
		return got.finding, got.err
	default:
		return session.Finding{}, errors.New("the run ended before this scenario began")
	}
}

// anyOf is a label filter that matches just these scenarios' IDs.
func anyOf(chosen []trial.Scenario) string {
	exact := make([]string, len(chosen))
	for i, s := range chosen {
		exact[i] = "/^" + s.ID + "$/"
	}
	return strings.Join(exact, " || ")
}

// suiteLimit stops a run that no longer moves.
func suiteLimit(s *session.Session) time.Duration {
	return s.Patience(time.Hour) + 4*s.Scale.Budget()
}

// bareTest is all that Ginkgo wants of a *testing.T.
type bareTest struct{ failed bool }

func (b *bareTest) Fail() { b.failed = true }
