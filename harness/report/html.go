package report

import (
	"bytes"
	_ "embed" // for the page's template and style
	"fmt"
	"html/template"
	"slices"
	"strconv"
	"strings"
	"time"

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

// scenarioRow is one scenario in the table at the top.
type scenarioRow struct {
	ID, Level, Reason, Waiver, Also                 string
	Verdict                                         trial.Verdict
	Candidate, Rate, Upper95, Baseline, Hits, Power string
	Marks                                           []rateMark
}

// section is one scenario with its arms.
type section struct {
	ID, Text, Reason, Waiver, Fault string
	Witness                         string
	Verdict                         trial.Verdict
	Outcomes                        []string // that occurred, the worst first
	Arms                            []armRow
	RateTicks, TimeTicks            []tick
	Tried, Faults, Checked          bool // which columns say something
}

type armRow struct {
	Name, Role, Strategy, Fault, Hits, Trials, Must string
	Verdict                                         trial.Verdict
	Why                                             string
	Counts                                          []string
	Rate, Upper95, Checks                           string
	Marks                                           []rateMark
	Bars                                            []bar
	Median, P99, Max, Start                         string
}

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

func newScenarioRow(f results.Finding, rates scale) scenarioRow {
	candidate, base := f.Tally(trial.Candidate), f.Tally(trial.Baseline)
	row := scenarioRow{
		ID:        printable.Line(f.ID),
		Level:     string(f.Level),
		Reason:    printable.Text(f.Reason),
		Waiver:    waiverNote(f),
		Also:      notJudged(f),
		Verdict:   f.Verdict,
		Candidate: "-",
		Rate:      "-",
		Upper95:   "-",
		Baseline:  "-",
		Hits:      faultHits(f),
		Power:     "-",
	}
	if candidate.Trials > 0 {
		row.Candidate = fmt.Sprintf("%d of %d", candidate.Bad, candidate.Trials)
		row.Rate = printable.Percent(candidate.Rate())
		row.Upper95 = printable.Percent(trial.Upper95(candidate.Bad, candidate.Trials))
		row.Marks = append(row.Marks, mark(candidate.Bad, candidate.Trials, "candidate").on(rates))
	}
	if base.Trials > 0 {
		row.Baseline = printable.Percent(base.Rate())
		row.Marks = append(row.Marks, mark(base.Bad, base.Trials, "baseline").on(rates))
	}
	if power, ok := f.Power(); ok {
		row.Power = printable.Percent(power)
	}
	return row
}

// hits adds up how often the faults of all arms hit.
func faultHits(f results.Finding) string {
	n, faulty := int64(0), false
	for _, a := range f.Arms {
		if a.Plan.Fault != "" {
			n, faulty = n+a.End.FaultHits, true
		}
	}
	if !faulty {
		return "-"
	}
	return strconv.FormatInt(n, 10)
}

func newSection(f results.Finding, rates scale) section {
	shared, own := splitFaults(f.Arms)
	times := timeScale(f.Arms)
	s := section{
		ID:        printable.Line(f.ID),
		Text:      printable.Line(f.Text),
		Reason:    printable.Text(f.Reason),
		Waiver:    waiverNote(f),
		Witness:   witnessNote(f),
		Fault:     shared,
		Verdict:   f.Verdict,
		RateTicks: rates.ticks(printable.Percent),
		TimeTicks: times.ticks(printable.Micros),
		Tried:     f.Tally(trial.Baseline).Trials+f.Tally(trial.Candidate).Trials > 0,
	}
	var shown []trial.Outcome
	for _, o := range badOutcomes {
		if slices.ContainsFunc(f.Arms, func(a results.Arm) bool { return a.Counts[o] > 0 }) {
			shown, s.Outcomes = append(shown, o), append(s.Outcomes, string(o))
		}
	}
	for _, a := range f.Arms {
		row := newArmRow(a, shown, rates, times)
		row.Fault = own[a.Plan.Fault]
		s.Faults = s.Faults || row.Fault != ""
		s.Checked = s.Checked || tellsByChecks(a)
		s.Arms = append(s.Arms, row)
	}
	return s
}

func newArmRow(a results.Arm, shown []trial.Outcome, rates, times scale) armRow {
	verdict, why := a.Judge()
	row := armRow{
		Name:     printable.Line(a.Plan.Arm),
		Role:     printable.Line(string(a.Plan.Role)),
		Strategy: printable.Line(a.Plan.Strategy),
		Hits:     hits(a),
		Trials:   count(a, a.Trials),
		Must:     promise(a),
		Verdict:  verdict,
		Rate:     ratio(a, trial.Rate(a.BadTrials(), a.Trials)),
		Upper95:  ratio(a, trial.Upper95(a.BadTrials(), a.Trials)),
		Checks:   checks(a),
	}
	if verdict == trial.Inconclusive { // of a failure the numbers tell
		row.Why = printable.Text(why)
	}
	for _, o := range shown {
		row.Counts = append(row.Counts, count(a, a.Counts[o]))
	}
	if a.End.StartMicros > 0 {
		row.Start = printable.Micros(float64(a.End.StartMicros))
	}
	if a.Trials == 0 {
		return row
	}
	row.Marks = []rateMark{mark(a.BadTrials(), a.Trials, row.Role).on(rates)}
	sorted := slices.Sorted(slices.Values(a.Micros))
	row.Bars = times.histogram(sorted)
	for at, q := range map[*string]float64{&row.Median: 0.5, &row.P99: 0.99, &row.Max: 1} {
		*at = printable.Duration(time.Duration(trial.Quantile(sorted, q)) * time.Microsecond)
	}
	return row
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
