package bench

import (
	"fmt"
	"slices"
	"strings"

	"github.com/reapcheck/reapcheck/harness/trial"
)

// Gate is what a gate came to, of one contestant.
type Gate struct {
	Contestant string        `json:"contestant"`
	Verdict    trial.Verdict `json:"verdict"`
	// Failed are the scenarios that failed, with their reasons, and Unproved those that
	// proved nothing.
	Failed   []GateFinding `json:"failed"`
	Unproved []GateFinding `json:"unproved"`
	Passed   int           `json:"passed"`
}

// GateFinding is one scenario's.
type GateFinding struct {
	ID     string `json:"id"`
	Reason string `json:"reason"`
}

// about is what is known of a strategy and does not have to be measured.
var about = map[string]struct{ needs, orphans string }{
	none:            {"nothing", "stay zombies"},
	"reaper-only":   {"nothing", "reaped"},
	"documented":    {"nothing", "reaped"},
	registry:        {"nothing", "reaped"},
	"subscribed":    {"nothing", "reaped"},
	"locked":        {"nothing", "reaped when no command runs"},
	"peeked":        {"waitid with WNOWAIT", "reaped, some after seconds"},
	"kernel-held":   {"Linux 6.15", "reaped"},
	"init-in-front": {"another process as PID 1", "reaped by it"},
}

// strategyTable sets correctness and cost side by side, a row for each daemon.
func (r *Report) strategyTable(text *strings.Builder) {
	var rows [][]string
	for _, name := range r.measured() {
		rows = append(rows, []string{name, r.loses(name), r.rateOf(name), r.p99Of(name),
			r.cpuOf(name), r.heldBy(name), about[name].needs, r.leftBy(name)})
	}
	table(text, "Correctness and cost", fmt.Sprintf(
		"From one run. Rate, p99 and CPU time of the daemon are with %d in flight; threads, "+
			"memory and files are for each command, with the most sleeps in flight.",
		claimLevel), []string{"daemon", "fails in the gate", "per second", "p99, ms", "CPU, us",
		"threads, KiB, files", "needs", "orphans"}, rows)
}

// measured are the daemons, in the order in which they were.
func (r *Report) measured() (names []string) {
	add := func(name string) {
		if _, known := about[name]; (known || name == Candidate) && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	for _, rate := range r.Rates {
		add(rate.Contestant)
	}
	for _, g := range r.Gates {
		add(g.Contestant)
	}
	return names
}

func (r *Report) loses(name string) string {
	at := slices.IndexFunc(r.Gates, func(g Gate) bool { return g.Contestant == name })
	if at < 0 {
		return "not judged"
	}
	g := r.Gates[at]
	text := "none"
	if len(g.Failed) > 0 {
		text = ids(g.Failed)
	}
	if len(g.Unproved) > 0 {
		text += "; nothing proved: " + ids(g.Unproved)
	}
	return text
}

func ids(all []GateFinding) string {
	names := make([]string, len(all))
	for i, f := range all {
		names[i] = f.ID
	}
	return strings.Join(names, ", ")
}

func (r *Report) rate(name string) (Rate, bool) {
	for _, rate := range r.Rates {
		if rate.Contestant == name && rate.InFlight == claimLevel {
			return rate, true
		}
	}
	return Rate{}, false
}

func (r *Report) rateOf(name string) string {
	rate, ok := r.rate(name)
	if !ok {
		return "-"
	}
	text := fmt.Sprintf("%.0f", rate.PerSecond.Median)
	if bad := rate.Outcomes.Bad(); bad > 0 {
		text += fmt.Sprintf(" (%d of %d not right)", bad, rate.Outcomes.Total())
	}
	return text
}

func (r *Report) p99Of(name string) string {
	if rate, ok := r.rate(name); ok {
		return millis(rate.P99)
	}
	return "-"
}

func (r *Report) cpuOf(name string) string {
	if rate, ok := r.rate(name); ok {
		return fmt.Sprintf("%.0f", rate.CPU.Daemon)
	}
	return "-"
}

// heldBy is of the most sleeps in flight.
func (r *Report) heldBy(name string) string {
	most := Sleep{}
	for _, s := range r.Sleeps {
		if s.Strategy == name && s.InFlight > most.InFlight {
			most = s
		}
	}
	switch {
	case most.InFlight == 0:
		return "-"
	case most.Died != "":
		return fmt.Sprintf("died with %d", most.InFlight)
	}
	threads := float64(most.During.Threads-most.Before.Threads) / float64(most.InFlight)
	grown := max(0, most.During.RSS-most.Before.RSS) / most.InFlight
	return fmt.Sprintf("%.2f, %.0f, %.0f", threads, kib(grown), most.filesEach())
}

func (r *Report) leftBy(name string) string {
	text := about[name].orphans
	for _, l := range r.Leaks {
		if l.Strategy != name {
			continue
		}
		if l.Died != "" {
			return "did not survive"
		}
		if n := l.After.Zombies - l.Before.Zombies; n > 0 {
			return strings.TrimPrefix(fmt.Sprintf("%s; %d zombies after %d commands", text, n,
				l.Commands), "; ")
		}
		if text == "" {
			text = "no zombie is left"
		}
	}
	return text
}

// gateTable says why each scenario failed.
func (r *Report) gateTable(text *strings.Builder) {
	var rows [][]string
	for _, g := range r.Gates {
		for _, f := range g.Failed {
			rows = append(rows, []string{g.Contestant, f.ID, "fail", f.Reason})
		}
		for _, f := range g.Unproved {
			rows = append(rows, []string{g.Contestant, f.ID, "inconclusive", f.Reason})
		}
	}
	table(text, "What the gate found",
		"Each as a black box. A scenario that is not here has passed.",
		[]string{"daemon", "scenario", "verdict", "why"}, rows)
}
