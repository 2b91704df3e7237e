package report

import (
	"fmt"
	"strings"
	"time"

	"github.com/reapcheck/reapcheck/harness/printable"
	"github.com/reapcheck/reapcheck/harness/results"
	"github.com/reapcheck/reapcheck/harness/trial"
)

// MarkdownLimit bounds report.md: a CI job summary refuses more than 1 MiB, and
// a step may have more to say than this report.
const MarkdownLimit = 1_000_000

// Markdown is the run for people who read it in a CI job's summary. The most
// important comes first, so that what has to go is the least of it.
func Markdown(run results.Run) []byte {
	s := sheet{limit: MarkdownLimit}
	s.head(run)
	s.causes(run)
	s.findings(run)
	s.failures(run)
	s.arms(run)
	s.legend(run)
	return s.bytes()
}

// sheet takes chunks until one does not fit; that one and all that follow
// are left out.
type sheet struct {
	text  []byte
	limit int
	cut   bool
}

const cutNotice = "\n**Cut here: the report has reached its limit. " +
	"The whole is in report.html and in the recordings.**\n"

func (s *sheet) add(format string, args ...any) {
	chunk := fmt.Sprintf(format, args...)
	if s.cut || len(s.text)+len(chunk)+len(cutNotice) > s.limit {
		s.cut = true
		return
	}
	s.text = append(s.text, chunk...)
}

func (s *sheet) bytes() []byte {
	if s.cut {
		return append(s.text, cutNotice...)
	}
	return s.text
}

func (s *sheet) head(run results.Run) {
	i := run.Info
	s.add("# reapcheck: %s\n\n", run.Verdict)
	if i.Problem != "" {
		s.add("The run did not reach its end: %s\n\n", code(i.Problem))
	}
	if run.AllAccepted() {
		s.add("Nothing to judge: %s.\n\n", allAcceptedNote)
	}
	s.add("%s, runtime %s, tier %s, seed %d%s, %s. Version %s, %s, %s, %s.\n\n",
		printable.Cell(i.Target), printable.Cell(i.Runtime), printable.Cell(i.Tier), i.Seed,
		factorText(
			i.Factor), printable.Plural(run.Trials(), "trial"),
		printable.Cell(i.Version), printable.Cell(i.Kernel), printable.Plural(i.CPUs,
			"CPU"), i.Started.UTC().Format(time.RFC3339))
}

// causes come first: what failed in twenty scenarios is one thing to mend.
func (s *sheet) causes(run results.Run) {
	for i, c := range causesOf(run) {
		s.add("## %d. %s\n\n**%s**: %s\n\n", i+1, printable.Cell(c.Title), printable.Cell(c.Word()),
			printable.Cell(c.Look))
		s.add("- shown in %s\n- for example %s\n", printable.Cell(c.Where), printable.Cell(c.Best))
		if c.Note != "" {
			s.add("- %s\n", printable.Cell(c.Note))
		}
		s.add("- repeat with: %s\n\n", code(c.Repeat))
	}
	if len(run.Causes) > 0 {
		s.add("## Scenarios\n\n")
	}
}

func (s *sheet) findings(run results.Run) {
	s.add(
		"| scenario | verdict | candidate: bad of trials | upper95 | baseline: bad | why |\n" +
			"|---|---|---:|---:|---:|---|\n")
	for _, f := range run.Findings {
		candidate, base := f.Tally(trial.Candidate), f.Tally(trial.Baseline)
		bound, baseline := "-", "-"
		if candidate.Trials > 0 {
			bound = printable.Percent(trial.Upper95(candidate.Bad, candidate.Trials))
		}
		if base.Trials > 0 {
			baseline = printable.Percent(base.Rate())
		}
		s.add("| %s | %s | %d of %d | %s | %s | %s |\n",
			printable.Cell(f.ID), strong(f), candidate.Bad, candidate.Trials, bound, baseline,
			printable.Cell(join(join(waiverNote(f), f.Reason), notJudged(f))))
	}
	for _, note := range run.Info.Notes() {
		s.add("\n%s\n", printable.Cell(note))
	}
}

// verdictWord is the verdict, and that its failure is accepted.
func verdictWord(f results.Finding) string {
	if f.Waived == results.Accepted {
		return f.Verdict.String() + ", accepted"
	}
	return f.Verdict.String()
}

// join puts what a waiver says before why the scenario did not pass.
func join(note, reason string) string {
	if note == "" || reason == "" {
		return note + reason
	}
	return note + "; " + reason
}

func strong(f results.Finding) string {
	if f.Verdict == trial.Pass {
		return verdictWord(f)
	}
	return "**" + verdictWord(f) + "**"
}

// failures shows, for each scenario that was run and did not pass, the line that repeats
// it and the first bad trials of its candidates.
func (s *sheet) failures(run results.Run) {
	const show = 3
	for _, f := range run.Findings {
		if f.Verdict == trial.Pass || len(f.Arms) == 0 {
			continue
		}
		s.add("\n## %s: %s\n\n%s\n\nrepeat with: %s\n\n", printable.Cell(f.ID), verdictWord(f),
			printable.Cell(join(waiverNote(f), f.Reason)), code(run.Repeat(f.ID)))
		if note := witnessNote(f); note != "" {
			s.add("%s\n\n", note)
		}
		for _, a := range f.Arms {
			if a.Plan.Role != trial.Candidate {
				continue
			}
			for _, r := range a.Bad[:min(show, len(a.Bad))] {
				s.add("- %s, trial %d: **%s**. %s%s was to give %s and gave %s. %s\n",
					printable.Cell(a.Plan.Arm), r.Index, printable.Cell(string(r.Outcome)),
					code(r.Command), printable.Cell(beside(r)), printable.Cell(wanted(r)), got(r),
					code(r.Detail))
				if len(r.Steps) > 0 {
					s.add("\n%s\n", orderText(r.Steps))
				}
			}
			if more := a.BadTrials() - show; more > 0 {
				s.add("- %s: %s more\n", printable.Cell(a.Plan.Arm),
					printable.Plural(more, "bad trial"))
			}
		}
	}
}

// arms is one table with a row per arm. All columns are there, so that two
// reports can be compared.
func (s *sheet) arms(run results.Run) {
	s.add(
		"\n## Arms\n\n| scenario | arm | must | fault | hits | trials | ok | lost | wrong | " +
			"output | error | hung | upper95 | checks |\n")
	s.add("|---|---|---|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|\n")
	for _, f := range run.Findings {
		for _, a := range f.Arms {
			c := a.Counts
			s.add("| %s | %s | %s | %s | %s | %d | %d | %d | %d | %d | %d | %d | %s | %s |\n",
				printable.Cell(f.ID), printable.Cell(a.Plan.Arm), printable.Cell(promise(a)),
				printable.Cell(a.Plan.Fault), hits(
					a), a.Trials,
				c[trial.OK], c[trial.Lost], c[trial.Wrong], c[trial.Output], c[trial.Error],
				c[trial.Hung],
				ratio(a, trial.Upper95(a.BadTrials(), a.Trials)), checks(a))
		}
	}
}

func (s *sheet) legend(run results.Run) {
	s.add("\n")
	for _, text := range legend(run) {
		s.add("- %s\n", printable.Cell(text))
	}
	for _, f := range run.Findings {
		s.add("- %s: %s\n", code(f.ID), printable.Cell(f.Text))
	}
	s.add("\nRepeat the whole run with: %s\n", code(run.Repeat("")))
}

// code shows text as it stands, in a fence longer than any run of backquotes
// within it (CommonMark 6.1). It is not for tables, where a bar would end the
// cell.
func code(s string) string {
	if s == "" {
		return ""
	}
	s = printable.Line(s)
	fence := "`"
	for strings.Contains(s, fence) {
		fence += "`"
	}
	if strings.Trim(s, "` ") != s {
		s = " " + s + " "
	}
	return fence + s + fence
}
