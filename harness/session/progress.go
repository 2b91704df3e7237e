package session

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/term"

	"github.com/reapcheck/reapcheck/harness/printable"
	"github.com/reapcheck/reapcheck/harness/trial"
)

// Progress tells a person what a run is doing: how many trials of all
// experiments are done, and what each experiment came to. On a terminal one line
// moves; elsewhere a plain line appears every few seconds. The zero value is
// silent.
type Progress struct {
	w        io.Writer
	terminal bool

	mu        sync.Mutex
	scenarios int // how many there will be
	ended     int
	running   []string
	began     time.Time
	takes     time.Duration // all of it, as expected; zero where nobody knows
	total     int           // as expected
	done      int
	bad       map[trial.Role]int
	shown     time.Time
	moving    bool // the terminal's last line is the moving one
}

// NewProgress writes to w, which is a terminal or not.
func NewProgress(w io.Writer, terminal bool) *Progress {
	return &Progress{w: w, terminal: terminal}
}

// Forecast says how long all experiments will take.
func (p *Progress) Forecast(takes time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.takes = takes
}

// Expect says what there will be. The clock starts.
func (p *Progress) Expect(all []Experiment) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.began, p.shown = time.Now(), time.Now()
	p.scenarios, p.ended, p.total, p.done = len(all), 0, 0, 0
	p.bad = map[trial.Role]int{}
	for _, e := range all {
		for _, arm := range e.Arms {
			p.total += arm.expected()
		}
	}
}

// Say prints a line of its own.
func (p *Progress) Say(format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.print(fmt.Sprintf(format, args...) + "\n")
}

// Write makes Progress the place where others report steps, line by line.
func (p *Progress) Write(text []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.print(string(text))
	return len(text), nil
}

// Begin says that an experiment runs from now on, and returns the time.
func (p *Progress) Begin(e Experiment) time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.running = append(p.running, e.Scenario)
	p.show(5 * time.Second)
	return time.Now()
}

// Trial counts one trial and shows the count from time to time.
func (p *Progress) Trial(role trial.Role, o trial.Outcome) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.done++
	if o != trial.OK && p.bad != nil {
		p.bad[role]++
	}
	p.show(5 * time.Second)
}

// show prints the count where it is due: on a terminal every moment, elsewhere
// after the given time.
func (p *Progress) show(every time.Duration) {
	if p.terminal {
		every = 100 * time.Millisecond
	}
	if time.Since(p.shown) < every {
		return
	}
	p.shown = time.Now()
	if p.terminal {
		p.move(p.line())
	} else {
		p.print(p.line() + "\n")
	}
}

// place is how far the run has come.
func (p *Progress) place() string { return fmt.Sprintf("[%d/%d]", p.ended, p.scenarios) }

// line puts first what a narrow terminal must not cut off.
func (p *Progress) line() string {
	return fmt.Sprintf("%s %d/%d trials, bad: candidate %d, baseline %d; %s; running %s",
		p.place(), p.done, max(p.total, p.done), p.bad[trial.Candidate], p.bad[trial.Baseline],
		p.clock(), strings.Join(p.running, ", "))
}

// clock says how long the run has taken, and what is left of it.
func (p *Progress) clock() string {
	passed := time.Since(p.began)
	text := passed.Round(time.Second).String()
	switch left := p.takes - passed; {
	case p.takes == 0:
		return text
	case left < time.Second:
		return text + ", longer than expected"
	default:
		return fmt.Sprintf("%s, about %v left", text, left.Round(time.Second))
	}
}

// End says what an experiment came to that has begun then.
func (p *Progress) End(e Experiment, f Finding, began time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ended++
	p.running = slices.DeleteFunc(p.running, func(id string) bool { return id == e.Scenario })
	line := fmt.Sprintf("%s %s: %s in %.1fs", p.place(), e.Scenario, f.Verdict,
		time.Since(began).Seconds())
	if f.Reason != "" {
		reason, _, _ := strings.Cut(f.Reason, "\n")
		line += ": " + reason
	}
	p.print(line + "\n")
}

// clear empties a terminal's line: carriage return, erase to its end.
const clear = "\r\x1b[K"

// print adds lines that stay. They may quote a target, and a terminal would obey
// what stands there.
func (p *Progress) print(text string) {
	text = printable.Escape(text)
	if p.moving {
		text, p.moving = clear+text, false
	}
	p.write(text)
}

// move replaces the moving line. It must not reach the last column: a line
// that wraps cannot be erased.
func (p *Progress) move(text string) {
	text = strings.Join(strings.Fields(text), " ")
	if runes, room := []rune(text), p.width()-1; len(runes) > room {
		text = string(runes[:room])
	}
	p.write(clear + text)
	p.moving = true
}

// width asks each time: windows are resized.
func (p *Progress) width() int {
	const usual = 80
	if file, ok := p.w.(*os.File); ok {
		if width, _, err := term.GetSize(int(file.Fd())); err == nil && width > 0 {
			return width
		}
	}
	return usual
}

func (p *Progress) write(text string) {
	if p.w != nil {
		_, _ = io.WriteString(p.w, text) // a closed terminal must not stop a run
	}
}
