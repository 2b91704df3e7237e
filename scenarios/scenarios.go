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
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/onsi/ginkgo/v2"
	"github.com/onsi/ginkgo/v2/formatter"
	"github.com/onsi/gomega"

	"github.com/reapcheck/reapcheck/harness/results"
	"github.com/reapcheck/reapcheck/harness/session"
	"github.com/reapcheck/reapcheck/harness/trial"
)

// plan says what a scenario does in a session.
type plan func(s *session.Session) session.Experiment

var (
	// known is every scenario, in the order of its ID.
	known []trial.Scenario
	// plans are the scenarios' plans by ID.
	plans = map[string]plan{}
	// current is the run that the specs report from. Ginkgo's specs are closures
	// without parameters, so it cannot be handed to them.
	current *running
)

// scenario declares one finding: what it is about, what must come true, and how
// that is tried. No correct daemon may do otherwise: its level is must. What weighs less
// of it whatever the scenario, such as a thread for each command, has a level of its own
// in harness/results/causes.go.
func scenario(id, subject, promise string, p plan) bool {
	return declare(trial.Must, id, subject, promise, p)
}

// should is scenario for what a careful daemon does.
func should(id, subject, promise string, p plan) bool {
	return declare(trial.Should, id, subject, promise, p)
}

// advice is scenario for a choice that has a price.
func advice(id, subject, promise string, p plan) bool {
	return declare(trial.Advice, id, subject, promise, p)
}

// declare makes a scenario known. Its spec waits for the experiment, which Run has begun.
func declare(level trial.Level, id, subject, promise string, p plan) bool {
	known = append(known, trial.Scenario{ID: id, Text: subject + " " + promise, Level: level})
	slices.SortFunc(known, func(a, b trial.Scenario) int { return strings.Compare(a.ID, b.ID) })
	plans[id] = p
	return ginkgo.Describe(subject, ginkgo.Label(id), func() {
		ginkgo.It(promise, func(ctx ginkgo.SpecContext) {
			finding, err := current.wait(ctx, id)
			gomega.Expect(err).NotTo(gomega.HaveOccurred())
			gomega.Expect(finding.Verdict).To(gomega.Equal(trial.Pass), finding.Reason)
		})
	})
}

// List returns every scenario in the order of its ID.
func List() []trial.Scenario { return slices.Clone(known) }

// Access is how much of a target a run can get at.
type Access int

const (
	Inside  Access = iota // fault points in the reference daemon's code
	Outside               // the reference daemon's system calls and processes
	Foreign               // those of somebody else's daemon
	Answers               // what a daemon answers, and nothing else
)

var (
	// insideOnly are the scenarios whose order of events nothing brings about
	// from outside: they need the fault points of the reference daemon.
	insideOnly = []string{"frozen"}
	// oursOnly are about settings that the reference daemon alone has.
	oursOnly = []string{"echild-wait"}
	// onRequest are judged of somebody else's daemon where they are named: what is held
	// is only where the daemon is made as ours is.
	onRequest = []string{"told-meanwhile"}
	// anywhere are those that inject nothing and look at answers only.
	anywhere = []string{"exit-codes", "silent", "storm", "ten-at-once", "texts"}
)

// allows says whether a scenario is worth trying.
func (a Access) allows(id string) bool {
	switch a {
	case Inside:
		return true
	case Outside:
		return !slices.Contains(insideOnly, id)
	case Foreign:
		return !slices.Contains(insideOnly, id) && !slices.Contains(oursOnly, id) && !slices.Contains(onRequest, id)
	}
	return slices.Contains(anywhere, id)
}

// Select returns the scenarios with the given IDs; for none, all that the
// access allows. An ID that does not exist is an error that names those that
// do.
func Select(ids []string, access Access) ([]trial.Scenario, error) {
	if len(ids) == 0 {
		return slices.DeleteFunc(List(), func(s trial.Scenario) bool { return !access.allows(s.ID) }), nil
	}
	var chosen []trial.Scenario
	for _, id := range ids {
		i := slices.IndexFunc(known, func(s trial.Scenario) bool { return s.ID == id })
		if i < 0 {
			return nil, fmt.Errorf("unknown scenario %q: choose from %s", id, names(known))
		}
		if access >= Foreign && slices.Contains(oursOnly, id) {
			return nil, fmt.Errorf("scenario %s is about a setting that the reference daemon alone has", id)
		}
		if !slices.Contains(chosen, known[i]) {
			chosen = append(chosen, known[i])
		}
	}
	return chosen, nil
}

// Sayable returns the chosen scenarios that the session's candidate can be asked for, and
// why it cannot be asked for the others, by ID.
func Sayable(s *session.Session, chosen []trial.Scenario) (sayable []trial.Scenario, why map[string]string) {
	why = map[string]string{}
	for i, e := range experiments(s, chosen) {
		if text := session.Unsaid(e, s.Candidate); text != "" {
			why[e.Scenario] = text
		} else {
			sayable = append(sayable, chosen[i])
		}
	}
	return sayable, why
}

// Known says what is wrong with a scenario's ID; nil for one that there is.
func Known(id string) error {
	_, err := Select([]string{id}, Inside)
	return err
}

// Without returns the chosen scenarios but those with the given IDs, of which
// each must exist.
func Without(chosen []trial.Scenario, ids []string) ([]trial.Scenario, error) {
	if len(ids) == 0 {
		return chosen, nil
	}
	skipped, err := Select(ids, Inside)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(chosen, func(s trial.Scenario) bool { return slices.Contains(skipped, s) }), nil
}

func names(all []trial.Scenario) string {
	ids := make([]string, len(all))
	for i, s := range all {
		ids[i] = s.ID
	}
	return strings.Join(ids, ", ")
}

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
	order.Shuffle(len(experiments), func(i, j int) { experiments[i], experiments[j] = experiments[j], experiments[i] })
	go func() {
		defer close(r.over)
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
