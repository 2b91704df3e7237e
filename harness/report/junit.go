package report

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/reapcheck/reapcheck/harness/printable"
	"github.com/reapcheck/reapcheck/harness/results"
	"github.com/reapcheck/reapcheck/harness/trial"
)

// The elements are those that CI viewers have in common; see
// https://github.com/testmoapp/junitxml. An inconclusive scenario is an
// <error>: a <skipped> one is shown as harmless, and nothing was proved. What is
// <skipped> is a failure that a waiver accepts, and what the run was not to try.
type junitSuites struct {
	XMLName xml.Name `xml:"testsuites"`
	Suite   junitSuite
}

type junitSuite struct {
	XMLName    xml.Name        `xml:"testsuite"`
	Name       string          `xml:"name,attr"`
	Tests      int             `xml:"tests,attr"`
	Failures   int             `xml:"failures,attr"`
	Errors     int             `xml:"errors,attr"`
	Skipped    int             `xml:"skipped,attr"`
	Time       string          `xml:"time,attr"`
	Timestamp  string          `xml:"timestamp,attr"`
	Properties []junitProperty `xml:"properties>property"`
	Cases      []junitCase     `xml:"testcase"`
}

type junitCase struct {
	Name       string          `xml:"name,attr"`
	Class      string          `xml:"classname,attr"`
	Time       string          `xml:"time,attr"`
	Properties []junitProperty `xml:"properties>property"`
	Failure    *junitProblem   `xml:"failure"`
	Error      *junitProblem   `xml:"error"`
	Skipped    *junitSkipped   `xml:"skipped"`
	Output     string          `xml:"system-out,omitempty"`
}

type junitProperty struct {
	Name  string `xml:"name,attr"`
	Value string `xml:"value,attr"`
}

type junitSkipped struct {
	Message string `xml:"message,attr"`
}

type junitProblem struct {
	Type    string `xml:"type,attr"`
	Message string `xml:"message,attr"`
	Text    string `xml:",chardata"`
}

// JUnit is the run as a test suite with a case per scenario.
func JUnit(run results.Run) ([]byte, error) {
	i := run.Info
	suite := junitSuite{
		Name: "reapcheck", Timestamp: i.Started.UTC().Format("2006-01-02T15:04:05"),
		Properties: []junitProperty{
			{"verdict", run.Verdict.String()}, {"tier", printable.Line(i.Tier)}, {"runtime",
				printable.Line(i.Runtime)}, {"target", printable.Line(i.Target)},
			{"seed", strconv.FormatUint(i.Seed, 10)}, {"version",
				printable.Line(i.Version)}, {"trials", strconv.Itoa(run.Trials())},
		},
	}
	var total time.Duration
	for _, f := range run.Findings {
		total += took(f)
		suite.add(junitCaseOf(run, f))
	}
	for _, l := range run.Info.LeftOut {
		suite.add(junitCase{
			Name:    printable.Line(l.ID),
			Class:   "reapcheck",
			Time:    "0.000",
			Skipped: &junitSkipped{Message: printable.Line("left out, " + l.Why)},
		})
	}
	suite.addProblem(run)
	suite.Time = seconds(total)
	var b bytes.Buffer
	b.WriteString(xml.Header)
	encoder := xml.NewEncoder(&b)
	encoder.Indent("", "  ")
	if err := encoder.Encode(junitSuites{Suite: suite}); err != nil {
		return nil, fmt.Errorf("encode junit.xml: %w", err)
	}
	b.WriteByte('\n')
	return b.Bytes(), nil
}

func (s *junitSuite) add(c junitCase) {
	s.Tests++
	if c.Failure != nil {
		s.Failures++
	}
	if c.Error != nil {
		s.Errors++
	}
	if c.Skipped != nil {
		s.Skipped++
	}
	s.Cases = append(s.Cases, c)
}

// addProblem is a case of its own for a run that did not reach its end, or
// that tried nothing: a suite of passes would hide it.
func (s *junitSuite) addProblem(run results.Run) {
	problem := run.Info.Problem
	if problem == "" && len(run.Findings) == 0 {
		problem = "no scenario was run"
	}
	if problem == "" && run.AllAccepted() {
		problem = allAcceptedNote
	}
	if problem != "" {
		s.add(junitCase{
			Name:  "run",
			Class: "reapcheck",
			Time:  "0.000",
			Error: &junitProblem{"inconclusive", printable.Line(problem), printable.Text(problem)},
		})
	}
}

func junitCaseOf(run results.Run, f results.Finding) junitCase {
	c := junitCase{
		Name:   printable.Line(f.ID),
		Class:  "reapcheck",
		Time:   seconds(took(f)),
		Output: printable.Text(f.Text),
	}
	for _, a := range f.Arms {
		c.Properties = append(c.Properties, armProperties(a)...)
	}
	problem := &junitProblem{
		Type:    f.Verdict.String(),
		Message: printable.Line(join(waiverNote(f), f.Reason)),
		Text:    details(f, run),
	}
	switch {
	case f.Verdict == trial.Pass:
		c.Output = join(join(waiverNote(f), notJudged(f)), c.Output)
	case f.Waived == results.Accepted:
		c.Skipped = &junitSkipped{Message: problem.Message}
	case f.Verdict == trial.Fail:
		c.Failure = problem
	default:
		c.Error = problem
	}
	return c
}

// armProperties are named <arm>.<count>.
func armProperties(a results.Arm) []junitProperty {
	name := printable.Line(a.Plan.Arm) + "."
	properties := []junitProperty{{name + "role", printable.Line(string(a.Plan.Role))},
		{name + "trials", strconv.Itoa(a.Trials)}}
	for _, o := range append([]trial.Outcome{trial.OK}, badOutcomes...) {
		properties = append(properties, junitProperty{name + string(o), strconv.Itoa(a.Counts[o])})
	}
	return append(properties,
		junitProperty{name + "faultHits", strconv.FormatInt(a.End.FaultHits, 10)},
		junitProperty{name + "upper95",
			strconv.FormatFloat(trial.Upper95(a.BadTrials(), a.Trials), 'g', 3, 64)})
}

// details are what a person reads when a case is opened.
func details(f results.Finding, run results.Run) string {
	const show = 3
	var b strings.Builder
	fmt.Fprintf(&b, "%s\nrepeat with: %s\n", printable.Text(f.Reason),
		printable.Line(run.Repeat(f.ID)))
	for _, c := range run.Causes {
		if c.Weight == results.Fails && c.In(f.ID) {
			fmt.Fprintf(&b, "cause: %s (%s)\n", printable.Line(c.Title), printable.Line(c.ID))
		}
	}
	if note := witnessNote(f); note != "" {
		fmt.Fprintln(&b, note)
	}
	for _, a := range f.Arms {
		if a.Plan.Role != trial.Candidate {
			continue
		}
		for _, r := range a.Bad[:min(show, len(a.Bad))] {
			fmt.Fprintf(&b, "%s, trial %d: %s. %s%s was to give %s and gave %s. %s\n",
				printable.Line(a.Plan.Arm), r.Index, printable.Line(string(r.Outcome)),
				printable.Line(r.Command), beside(r), wanted(r), got(r), printable.Line(r.Detail))
		}
	}
	return b.String()
}

// took is about how long the scenario's trials lasted.
func took(f results.Finding) time.Duration {
	var longest time.Duration
	for _, a := range f.Arms {
		longest = max(longest, a.Took)
	}
	return longest
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.3f", d.Seconds()) }
