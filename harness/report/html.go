package report

import (
	"bytes"
	_ "embed" // for the page's template and style
	"fmt"
	"html/template"
	"strconv"
	"strings"

	"github.com/reapcheck/reapcheck/harness/printable"
	"github.com/reapcheck/reapcheck/harness/results"
	"github.com/reapcheck/reapcheck/harness/trial"
)

//go:embed page.html.tmpl
var pageTemplate string

//go:embed page.css
var pageStyle string

var pageHTML = template.Must(template.New("page").Funcs(template.FuncMap{
	"css":          func() template.CSS { return template.CSS(pageStyle) },
	"verdictClass": trial.Verdict.String,
	"verdictSign":  verdictSign,
	"rowClass":     rowClass,
	"href":         href,
	"clean":        printable.Line,
}).Parse(pageTemplate))

// HTML is the run as one page that needs nothing but itself: no script, no
// font, no image, no network. Links lead to the files beside it.
func HTML(run results.Run) ([]byte, error) {
	var b bytes.Buffer
	if err := pageHTML.Execute(&b, newPage(run)); err != nil {
		return nil, fmt.Errorf("write report.html: %w", err)
	}
	return b.Bytes(), nil
}

// verdictSign stands beside the word, for those who look at shapes first.
func verdictSign(v trial.Verdict) string {
	switch v {
	case trial.Pass:
		return "✓"
	case trial.Fail:
		return "✗"
	}
	return "?"
}

func rowClass(v trial.Verdict) string {
	switch v {
	case trial.Pass:
		return ""
	case trial.Fail:
		return "broken"
	}
	return "unsure"
}

// href is a link to a file below the page. Names come from a folder that
// anybody may have filled, so all but the plainest characters are encoded.
func href(path string) string {
	var b strings.Builder
	b.WriteString("./")
	for i := range len(path) {
		c := path[i]
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' ||
			strings.IndexByte("-_.~/", c) >= 0 {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}

// page is what the HTML template draws: text that has been made safe to look
// at, and positions. Escaping is the template's.
type page struct {
	Verdict   trial.Verdict
	Headline  string
	Problem   string
	Facts     []fact
	Repeat    string
	RateTicks []tick
	Causes    []cause
	Scenarios []scenarioRow
	LeftOut   []string
	Sections  []section
	Failures  []failure
	Checks    []failedCheck
	Baselines []failure
	Settings  []settingRow
	Files     []fileGroup
	Legend    []string
}

type fact struct{ Name, Value string }

// failedCheck is a promise about a sandbox that was not kept.
type failedCheck struct{ Scenario, Arm, Name, Want, Got string }

type fileGroup struct {
	Name  string
	Files []string
}

func newPage(run results.Run) page {
	rates := rateScale(run)
	p := page{
		Verdict:   run.Verdict,
		Headline:  headline(run) + leftOutSentence(run.Info),
		Causes:    causesOf(run),
		LeftOut:   run.Info.Notes(),
		Problem:   printable.Text(run.Info.Problem),
		Facts:     facts(run),
		Repeat:    printable.Line(run.Repeat("")),
		RateTicks: rates.ticks(printable.Percent),
		Legend:    legend(run),
	}
	for _, f := range run.Findings {
		p.Scenarios = append(p.Scenarios, newScenarioRow(f, rates))
		p.Sections = append(p.Sections, newSection(f, rates))
		p.Failures = append(p.Failures, failures(run, f)...)
		p.Checks = append(p.Checks, failedChecks(f)...)
		p.Baselines = append(p.Baselines, baselineFailure(run, f)...)
	}
	for _, s := range run.Info.Settings {
		p.Settings = append(p.Settings, settingRow{printable.Line(s.Name),
			printable.Line(strings.Join(s.Values, ", ")), printable.Line(s.From)})
	}
	p.Files = files(run)
	return p
}

// settingRow is one line of the effective configuration.
type settingRow struct{ Name, Value, From string }

// headline is the verdict as a sentence.
func headline(run results.Run) string {
	names, accepted := map[trial.Verdict][]string{}, 0
	for _, f := range run.Findings {
		if f.Waived == results.Accepted {
			accepted++
			continue
		}
		names[f.Verdict] = append(names[f.Verdict], printable.Line(f.ID))
	}
	of := printable.Plural(len(run.Findings), "scenario")
	switch n := len(names[run.Verdict]); {
	case run.AllAccepted():
		return "Nothing is proved: every scenario that was run has a waiver."
	case run.Verdict == trial.Pass && accepted > 0:
		return fmt.Sprintf(
			"%d of %s passed, %d failed and accepted by a waiver. "+
				"The baselines failed as they must and the faults hit, so the silence counts.",
			n, of, accepted)
	case run.Verdict == trial.Pass:
		return fmt.Sprintf(
			"%s of %s passed. The baselines failed as they must and the faults hit, "+
				"so the silence counts.", strconv.Itoa(n), of)
	case run.Verdict == trial.Fail:
		return byCauses(run, names[trial.Fail], of)
	case n == 0:
		return "Nothing is proved: the run did not reach its end."
	default:
		return fmt.Sprintf("Nothing is proved: %d of %s inconclusive: %s.", n, of,
			strings.Join(names[trial.Inconclusive], ", "))
	}
}

// byCauses is the headline of a run that failed: how many causes there are, and the worst
// of them. Without a cause it names the scenarios.
func byCauses(run results.Run, failed []string, of string) string {
	n := 0
	for _, f := range run.Causes {
		if f.Weight == results.Fails {
			n++
		}
	}
	scenarios := fmt.Sprintf("%d of %s", len(failed), of)
	switch n {
	case 0:
		return fmt.Sprintf("%s failed: %s.", scenarios, strings.Join(failed, ", "))
	case 1:
		return fmt.Sprintf("%s %s failed, for this one cause.",
			printable.Line(run.Causes[0].Title), scenarios)
	}
	return fmt.Sprintf("%s That is the worst of %d causes for which %s failed.",
		printable.Line(run.Causes[0].Title), n, scenarios)
}

// leftOutSentence is for the headline; empty where nothing was left out.
func leftOutSentence(i results.Info) string {
	switch n := len(i.LeftOut); n {
	case 0:
		return ""
	case 1:
		return " 1 scenario was left out."
	default:
		return fmt.Sprintf(" %d scenarios were left out.", n)
	}
}

func facts(run results.Run) []fact {
	i := run.Info
	all := []fact{
		{"target", printable.Line(i.Target)}, {"runtime", printable.Line(i.Runtime)}, {"tier",
			printable.Line(i.Tier)},
		{"seed", strconv.FormatUint(i.Seed, 10) + factorText(i.Factor)}, {"trials",
			strconv.Itoa(run.Trials())},
		{"started", i.Started.UTC().Format("2006-01-02 15:04:05 UTC")},
		{"reapcheck", printable.Line(i.Version)}, {"kernel", printable.Line(i.Kernel)}, {"CPUs",
			strconv.Itoa(i.CPUs)},
	}
	if start, n := run.Start(); n > 0 {
		all = append(all, fact{"sandbox ready after",
			fmt.Sprintf("%s (median of %d)", printable.Duration(start), n)})
	}
	for _, name := range []string{"engine", "image", "base"} {
		if value := i.About[name]; value != "" {
			all = append(all, fact{name, printable.Line(value)})
		}
	}
	return all
}

func failedChecks(f results.Finding) []failedCheck {
	var all []failedCheck
	for _, a := range f.Arms {
		for _, c := range a.FailedChecks() {
			if a.Plan.Claim == trial.Clean {
				all = append(all, failedCheck{printable.Line(f.ID), printable.Line(a.Plan.Arm),
					printable.Line(c.Name), printable.Text(c.Want), printable.Text(c.Got)})
			}
		}
	}
	return all
}

// files are all that the report was made from, and what was made.
func files(run results.Run) []fileGroup {
	groups := []fileGroup{{"run", []string{"run.json", "verdict.json", "report.md", "junit.xml"}}}
	for _, f := range run.Findings {
		g := fileGroup{Name: printable.Line(f.ID)}
		for _, a := range f.Arms {
			g.Files = append(g.Files, a.Recording)
			for _, artefact := range a.Artefacts {
				g.Files = append(g.Files, artefact.Path)
			}
		}
		groups = append(groups, g)
	}
	return groups
}
