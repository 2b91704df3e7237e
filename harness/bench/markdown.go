package bench

import (
	"fmt"
	"slices"
	"strings"

	"github.com/reapcheck/reapcheck/harness/printable"
)

// Markdown is bench.md. The verdict comes first.
func (r *Report) Markdown() string {
	var text strings.Builder
	fmt.Fprintf(&text, "# reapcheck bench: %v\n\n", r.Verdict)
	if r.Problem != "" {
		fmt.Fprintf(&text, "**It did not reach its end: %s**\n\n", printable.Cell(r.Problem))
	}
	if r.Candidate != "" {
		fmt.Fprintf(&text, "`candidate` is %s.\n\n", printable.Cell(r.Candidate))
	}
	fmt.Fprintf(&text, "%s, runtime %s, %s, %d CPUs, seed %d, turns of %d ms. `%s`\n\n",
		r.Version, r.Runtime, r.Kernel, r.CPUs, r.Seed, r.TurnMs, strings.Join(r.Argv, " "))
	fmt.Fprintf(&text, "The machine before: %v. After: %v.\n\n", r.Before, r.After)
	r.requirementTable(&text)
	for _, what := range r.LeftOut {
		fmt.Fprintf(&text, "Left out: %s.\n\n", what)
	}
	r.strategyTable(&text)
	r.gateTable(&text)
	r.rateTable(&text)
	r.ratioTable(&text)
	r.costTable(&text)
	r.arrivalTable(&text)
	r.sleepTable(&text)
	r.leakTable(&text)
	return text.String()
}

// table writes a heading and rows, and nothing where there are none.
func table(text *strings.Builder, title, about string, head []string, rows [][]string) {
	if len(rows) == 0 {
		return
	}
	fmt.Fprintf(text, "## %s\n\n", title)
	if about != "" {
		fmt.Fprintf(text, "%s\n\n", about)
	}
	row := func(cells []string) { fmt.Fprintf(text, "| %s |\n", strings.Join(cells, " | ")) }
	row(head)
	row(slices.Repeat([]string{"---"}, len(head)))
	for _, cells := range rows {
		for i := range cells {
			cells[i] = printable.Cell(cells[i])
		}
		row(cells)
	}
	text.WriteString("\n")
}

func (r *Report) requirementTable(text *strings.Builder) {
	var rows [][]string
	for _, t := range r.Requirements {
		relation, share := "at least", "-"
		if t.AtMost {
			relation = "at most"
		}
		if t.Required != 0 && t.Measured != 0 {
			share = fmt.Sprintf("%.3f", t.OfRequired)
		}
		rows = append(rows, []string{t.Verdict.String(), t.Name,
			fmt.Sprintf("%s %v", relation, t.Required), number(t.Measured), share, t.Note})
	}
	table(text, "Requirements", "", []string{"verdict", "what", "required", "measured",
		"measured / required", "note"}, rows)
}

// number shows a count as it is and a ratio with three digits.
func number(v float64) string {
	if v == float64(int(v)) {
		return fmt.Sprint(int(v))
	}
	return fmt.Sprintf("%.3f", v)
}

func (r *Report) rateTable(text *strings.Builder) {
	var rows [][]string
	for _, rate := range r.Rates {
		rows = append(rows, []string{
			fmt.Sprint(rate.InFlight), rate.Contestant, fmt.Sprintf("%.0f", rate.PerSecond.Median),
			fmt.Sprintf("%.0f to %.0f", rate.PerSecond.P25, rate.PerSecond.P75),
			millis(rate.P50), millis(rate.P99), millis(rate.P999), rate.Outcomes.String(),
		})
	}
	table(text, "Executions per second",
		"`candidate`: the daemon that is measured, where it is not one of ours. "+
			"`limit`: threads of a C program, no server. "+
			"`no-command`: a request that is refused, so HTTP alone. "+
			"`registry-launcher`: with a launcher in front that holds nothing. "+
			"Median of the turns and their middle half; latencies of all answers, in ms.",
		[]string{"in flight", "contestant", "per second", "middle half", "p50", "p99", "p99.9",
			"answers"}, rows)
}

func millis(micros int64) string { return fmt.Sprintf("%.2f", float64(micros)/1000) }

func (r *Report) ratioTable(text *strings.Builder) {
	var rows [][]string
	for _, q := range r.Ratios {
		sure := "-"
		if q.High > 0 {
			sure = fmt.Sprintf("%.3f to %.3f", q.Low, q.High)
		}
		rows = append(rows, []string{
			fmt.Sprint(q.InFlight), q.Of, q.To, fmt.Sprintf("%.3f", q.Median), sure,
			fmt.Sprintf("%.3f to %.3f", q.P25, q.P75), fmt.Sprint(q.N),
		})
	}
	table(text, "Ratios", "Of two turns in the same lap.",
		[]string{"in flight", "of", "to", "median", "95 % interval", "middle half", "pairs"}, rows)
}

func (r *Report) costTable(text *strings.Builder) {
	var rows [][]string
	for _, rate := range r.Rates {
		if rate.InFlight != claimLevel {
			continue
		}
		cells := []string{rate.Contestant}
		for _, v := range []float64{rate.CPU.Client, rate.CPU.Daemon, rate.CPU.Commands,
			rate.CPU.All} {
			cells = append(cells, fmt.Sprintf("%.0f", v))
		}
		rows = append(rows, cells)
	}
	table(text, fmt.Sprintf("Where the time goes, with %d in flight", claimLevel),
		"Microseconds of CPU time per execution: the harness as its client, the daemon, "+
			"and the commands that it started. "+
			"What a daemon has above `no-command` is its way to start a child and to learn how "+
			"it ended. Of `limit`, threads and commands are one figure.",
		[]string{"contestant", "client", "daemon", "commands", "all"}, rows)
}

func (r *Report) arrivalTable(text *strings.Builder) {
	var rows [][]string
	for _, a := range r.Arrivals {
		keeps := "yes"
		if a.Saturated {
			keeps = "no"
		}
		answers := a.Outcomes.String()
		if a.Died != "" {
			answers = "did not survive: " + a.Died
		}
		rows = append(rows, []string{a.Contestant, fmt.Sprintf("%.0f", a.Offered),
			fmt.Sprintf("%.0f", a.Answered), keeps, millis(a.P50), millis(a.P99), millis(a.P999),
			millis(a.SentP99), fmt.Sprint(a.Waiting), answers})
	}
	slices.SortStableFunc(rows, func(a, b []string) int { return strings.Compare(a[0], b[0]) })
	table(text, "Requests that come whatever happens",
		"At random moments, at a rate of their own. Latencies are from when a request was due, "+
			"in ms: a stall is seen by all who come meanwhile. "+
			"The last p99 is what a client would say that counts from when it has sent.",
		[]string{"contestant", "come per second", "answered per second", "keeps up", "p50", "p99",
			"p99.9", "p99 since sent", "most waiting", "answers"}, rows)
}

func (r *Report) sleepTable(text *strings.Builder) {
	var rows [][]string
	for _, s := range r.Sleeps {
		if s.Died != "" {
			rows = append(rows, []string{fmt.Sprint(s.InFlight), s.Strategy,
				"did not survive: " + s.Died, "", "", "", "", "", "", ""})
			continue
		}
		rows = append(rows, []string{
			fmt.Sprint(s.InFlight), s.Strategy,
			moved(s, func(f Figures) int { return f.Threads }),
			moved(s, func(f Figures) int { return f.RSS >> 20 }), fmt.Sprintf("%.1f",
				kib(s.each())),
			moved(s, func(f Figures) int { return f.Files }), fmt.Sprintf("%.1f", s.filesEach()),
			moved(s, func(f Figures) int { return f.Goroutines }),
			moved(s, func(f Figures) int { return f.Zombies }), s.answers(),
		})
	}
	table(text, "Many sleeps in flight",
		"Before, during and after. A strategy that waits in a system call parks a thread per "+
			"child; a Go process dies at 10,000.",
		[]string{"in flight", "strategy", "threads", "RSS, MiB", "KiB each", "open files",
			"files each", "goroutines", "zombies", "answers"}, rows)
}

// filesEach is how many files the daemon has open for each command in flight.
func (s Sleep) filesEach() float64 {
	return float64(s.During.Files-s.Before.Files) / float64(s.InFlight)
}

func (s Sleep) answers() string {
	if s.Stuck != "" {
		return s.Outcomes.String() + "; " + s.Stuck
	}
	return s.Outcomes.String()
}

func moved(s Sleep, of func(Figures) int) string {
	return fmt.Sprintf("%d, %d, %d", of(s.Before), of(s.During), of(s.After))
}

func (r *Report) leakTable(text *strings.Builder) {
	var rows [][]string
	for _, l := range r.Leaks {
		if l.Died != "" {
			rows = append(rows, []string{l.Strategy, "did not survive: " + l.Died, "", "", "", "",
				"", "", "", ""})
			continue
		}
		for _, row := range []struct {
			when string
			f    Figures
		}{{"before", l.Before}, {fmt.Sprintf("after %d commands", l.Commands), l.After}} {
			f := row.f
			cells := []string{l.Strategy, row.when}
			for _, n := range []int{f.Files, f.Goroutines, f.Threads, f.Processes, f.Zombies,
				f.Registered, f.Cached, f.RSS >> 20} {
				cells = append(cells, fmt.Sprint(n))
			}
			rows = append(rows, cells)
		}
	}
	table(text, "What commands leave behind", "Every tenth of them leaves an orphan.",
		[]string{"strategy", "when", "open files", "goroutines", "threads", "processes", "zombies",
			"registered", "cached", "RSS, MiB"}, rows)
}
