package report

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/reapcheck/reapcheck/harness/printable"
	"github.com/reapcheck/reapcheck/harness/results"
	"github.com/reapcheck/reapcheck/harness/trial"
)

// failure is one bad trial with its evidence.
type failure struct {
	Anchor, Scenario, Arm, Strategy, Fault string
	Index                                  int
	Outcome, Kind, Asked, Beside, Got, Why string
	Want                                   string
	Sent, Took                             string
	Lanes                                  []lane
	Moments                                []moment
	Story                                  string
	Log                                    []shownLine
	Files                                  []string
	Repeat                                 string
	// bad trials of this arm that are not shown; set on the last one
	More int
	Open bool
	// Ordered says that the moments are in their turns and have no time.
	Ordered bool
}

// failures are the bad trials of arms that had to be clean.
func failures(run results.Run, f results.Finding) []failure {
	var all []failure
	for _, a := range f.Arms {
		if a.Plan.Claim != trial.Clean || len(a.Bad) == 0 {
			continue
		}
		for i, r := range a.Bad {
			shown := newFailure(run, f, a, r)
			shown.Open = i == 0
			all = append(all, shown)
		}
		all[len(all)-1].More = a.BadTrials() - len(a.Bad)
	}
	return all
}

// baselineFailure is one bad trial of a baseline, the one that its log explains
// best: what the defect looks like where it is wanted.
func baselineFailure(run results.Run, f results.Finding) []failure {
	var found []failure
	for _, a := range f.Arms {
		if a.Plan.Role != trial.Baseline || a.Plan.Claim == trial.Clean {
			continue
		}
		for _, r := range a.Bad {
			shown := newFailure(run, f, a, r)
			if shown.Story != "" {
				return []failure{shown}
			}
			if found == nil {
				found = []failure{shown}
			}
		}
	}
	return found
}

// anchor names one trial on the page.
func anchor(scenario, arm string, trial int) string {
	return printable.Line(fmt.Sprintf("%s-%s-%d", scenario, arm, trial))
}

func newFailure(run results.Run, f results.Finding, a results.Arm, r trial.Record) failure {
	log, files := logOf(a, r)
	t := newTimeline(r, log)
	shown := failure{
		Anchor:   anchor(f.ID, a.Plan.Arm, r.Index),
		Scenario: printable.Line(f.ID),
		Arm:      printable.Line(a.Plan.Arm),
		Strategy: printable.Line(a.Plan.Strategy),
		Fault:    printable.Line(a.Plan.Fault),
		Index:    r.Index,
		Outcome:  printable.Line(string(r.Outcome)),
		Kind:     printable.Line(r.Kind),
		Asked:    printable.Text(r.Command),
		Beside:   printable.Line(r.Beside),
		Want:     wanted(r),
		Got:      got(r),
		Why:      printable.Text(r.Detail),
		Took:     printable.Micros(float64(r.Micros)),
		Story:    t.Story,
		Log:      t.excerpt(),
		Files:    append(files, a.Recording),
		Repeat:   printable.Line(run.Repeat(f.ID)),
	}
	if !r.Sent.IsZero() {
		shown.Sent = r.Sent.UTC().Format("15:04:05.000 UTC")
	}
	if shown.Lanes, shown.Moments = draw(t.Events); len(r.Steps) > 0 {
		shown.Lanes, shown.Moments = drawOrder(r.Steps)
		shown.Ordered = true
	}
	return shown
}

// logOf is the log kept of the trial itself, or else the log of a neighbour
// that tells of it too.
func logOf(a results.Arm, r trial.Record) (log []logLine, files []string) {
	var neighbour []logLine
	for _, artefact := range a.Artefacts {
		switch {
		case artefact.Trial == r.Index:
			files = append(files, artefact.Path)
			log = append(log, parseLog(artefact.Log)...)
		case neighbour == nil && newTimeline(r, parseLog(artefact.Log)).known():
			neighbour = parseLog(artefact.Log)
		}
	}
	if log == nil {
		log = neighbour
	}
	return log, files
}

// Who did something in a trial.
const (
	laneClient = "client"
	laneChild  = "child"
	laneReaper = "reaper"
	laneWaiter = "waiter"
)

// event is one moment of a trial.
type event struct {
	After time.Duration // since the request was sent
	Lane  string
	Text  string
	line  int // in the log; -1 for the client's own
}

// timeline is what is known of one trial, in the order of time.
type timeline struct {
	Events []event
	// Story says what the order means; empty where the log does not tell.
	Story string
	lines []logLine
}

// Limits of what is looked for in a log. slog writes milliseconds, and a reaper
// that is held up for a second still speaks.
const (
	clockSlack = 2 * time.Millisecond
	lateReaper = 5 * time.Second
)

// newTimeline finds a bad trial in a log. What the log does not tell stays
// away: only sent and answered are certain.
func newTimeline(r trial.Record, log []logLine) timeline {
	took := time.Duration(r.Micros) * time.Microsecond
	t := timeline{lines: log, Events: []event{
		{0, laneClient, "request sent", -1},
		{took, laneClient, "answer received: " + answerText(r), -1},
	}}
	if r.Sent.IsZero() {
		return t
	}
	reaped := t.findReaped(r, took)
	t.findRequest(r, took)
	slices.SortStableFunc(t.Events, func(a, b event) int { return cmp.Compare(a.After, b.After) })
	t.Story = story(r, took, reaped)
	return t
}

// known says whether the log tells of the trial.
func (t timeline) known() bool {
	return slices.ContainsFunc(t.Events, func(e event) bool { return e.line >= 0 })
}

func answerText(r trial.Record) string {
	if r.Outcome == trial.Hung {
		return "none by the deadline"
	}
	if r.Got != nil {
		return "exit code " + strconv.Itoa(*r.Got)
	}
	return "no exit code"
}

// findReaped looks for the reaper's line about the command's child: the first
// one within the trial's time that names the code the command gave. nil where
// there is none.
func (t *timeline) findReaped(r trial.Record, took time.Duration) *event {
	var found []event
	for i, l := range t.lines {
		after := l.at.Sub(r.Sent)
		if strings.Contains(l.attrs["msg"], "reaped") &&
			l.attrs["status"] == strconv.Itoa(r.Want) &&
			after > -clockSlack && after < took+lateReaper {
			text := fmt.Sprintf("said \"%s\": PID %s, status %s", printable.Line(l.attrs["msg"]),
				printable.Line(l.attrs["pid"]), printable.Line(l.attrs["status"]))
			found = append(found, event{max(0, after), laneReaper, text, i})
		}
	}
	if len(found) == 0 {
		return nil
	}
	if len(found) > 1 {
		found[0].Text += fmt.Sprintf(" (the first of %d lines that fit)", len(found))
	}
	ended := event{found[0].After, laneChild,
		"had ended at the latest by then; when is not recorded", found[0].line}
	t.Events = append(t.Events, ended, found[0])
	return &found[0]
}

// findRequest looks for the target's line about the request: of those that lie
// within the trial's time the one that fills it best. Its latency gives the
// time at which the handler began.
func (t *timeline) findRequest(r trial.Record, took time.Duration) {
	best, gap, fit := -1, time.Duration(0), 0
	for i, l := range t.lines {
		latency, err := time.ParseDuration(l.attrs["latency"])
		end := l.at.Sub(r.Sent)
		if err != nil || l.attrs["method"] != "POST" || end-latency < -clockSlack ||
			end > took+clockSlack {
			continue
		}
		fit++
		if missing := took - latency; best < 0 || missing < gap {
			best, gap = i, missing
		}
	}
	if best < 0 {
		return
	}
	l, note := t.lines[best], ""
	if fit > 1 {
		note = fmt.Sprintf(" (the closest of %d lines that fit)", fit)
	}
	latency, _ := time.ParseDuration(l.attrs["latency"])
	end := l.at.Sub(r.Sent)
	t.Events = append(t.Events,
		event{max(0, end-latency), laneWaiter, "handler began" + note, best},
		event{min(max(0, end), took), laneWaiter,
			"handler answered, HTTP " + printable.Line(l.attrs["status"]) + note, best})
}

// story puts the two facts together that make the defect.
func story(r trial.Record, took time.Duration, reaped *event) string {
	if reaped == nil || r.Outcome != trial.Lost {
		return ""
	}
	known := fmt.Sprintf("The daemon's own log has the status that the client did not get: %d.",
		r.Want)
	if late := reaped.After - took; late > 0 {
		return fmt.Sprintf("%s The reaper's word came %v after the answer.", known,
			late.Round(time.Millisecond))
	}
	return fmt.Sprintf("%s The reaper had the child %v before the answer.", known,
		(took - reaped.After).Round(time.Millisecond))
}

// excerpt is the part of the log around the trial, with the lines of its events
// marked; the log's end where nothing was found.
func (t *timeline) excerpt() []shownLine {
	const before, after, most = 8, 8, 60
	first, last := len(t.lines), -1
	marked := map[int]bool{}
	for _, e := range t.Events {
		if e.line >= 0 {
			first, last, marked[e.line] = min(first, e.line), max(last, e.line), true
		}
	}
	if last < 0 {
		first, last = len(t.lines), len(t.lines)
	}
	first, last = max(0, first-before), min(len(t.lines), last+after+1)
	var shown []shownLine
	for i := first; i < min(last, first+most); i++ {
		shown = append(shown, shownLine{
			Text:   printable.Clip(printable.Escape(t.lines[i].text), lineLimit),
			Marked: marked[i],
		})
	}
	return shown
}

// lineLimit bounds one line of a log in a report.
const lineLimit = 300

type shownLine struct {
	Text   string
	Marked bool
}

// logLine is one line of a target's log. What is not slog's text format has no
// time and no attributes, only its text.
type logLine struct {
	text  string // as it stood
	at    time.Time
	attrs map[string]string
}

// parseLog reads a log. A line longer than what a report shows is cut: nothing else is
// drawn from it.
func parseLog(log []byte) []logLine {
	var lines []logLine
	for raw := range bytes.Lines(log) {
		text := printable.Clip(string(bytes.TrimRight(raw, "\r\n")), printable.Limit)
		l := logLine{text: text, attrs: parseAttrs(text)}
		if at, err := time.Parse(time.RFC3339Nano, l.attrs["time"]); err == nil {
			l.at = at
		}
		lines = append(lines, l)
	}
	return lines
}

// parseAttrs reads key=value pairs as slog.TextHandler writes them, values
// quoted as Go strings where they need it, and stops at anything else.
func parseAttrs(text string) map[string]string {
	attrs := map[string]string{}
	for text != "" {
		key, rest, ok := strings.Cut(text, "=")
		if !ok || key == "" || strings.ContainsAny(key, " \"") {
			return attrs
		}
		value, after, _ := strings.Cut(rest, " ")
		if strings.HasPrefix(rest, `"`) {
			quoted, err := strconv.QuotedPrefix(rest)
			if err != nil {
				return attrs
			}
			value, _ = strconv.Unquote(quoted)
			after = strings.TrimPrefix(rest[len(quoted):], " ")
		}
		attrs[key] = value
		text = after
	}
	return attrs
}
