package compare

import (
	"fmt"
	"math"
	"slices"
)

// Growth is a daemon's memory while it executes a great many commands.
type Growth struct {
	// Commands is how many had been executed at each look, and Memory how many bytes
	// the daemon held then.
	Commands []int `json:"commands"`
	Memory   []int `json:"memory"`
	// Before and After are what it held beside memory, by name: open files, threads,
	// processes, zombies.
	Before map[string]int `json:"before"`
	After  map[string]int `json:"after"`
}

// Leaks sets the growth of both sides side by side. A is measured twice.
type Leaks struct {
	A     Growth `json:"a"`
	Again Growth `json:"again"`
	B     Growth `json:"b"`
	// Each are the bytes that a command leaves behind.
	EachA     Slope `json:"eachA"`
	EachAgain Slope `json:"eachAgain"`
	EachB     Slope `json:"eachB"`
	Word      Word  `json:"word"`
	// More names what B left behind, beside memory, and A did not.
	More []string `json:"more"`
}

// Slope is a growth in bytes for each command.
type Slope struct {
	Middle float64 `json:"middle"`
	Low    float64 `json:"low"`
	High   float64 `json:"high"`
}

// leastLeak is below how many bytes a command nothing is called a leak: a heap breathes
// by more than that.
const leastLeak = 128

const (
	// spareThreads is by how many threads may grow: a runtime starts some when the
	// machine is busy, and keeps them. One for each command would be thousands.
	spareThreads = 16
	// spareShare is how much more of what A leaves behind as well B may leave.
	spareShare = 0.1
)

// NewLeaks judges three growths.
func NewLeaks(a, again, b Growth) *Leaks {
	l := &Leaks{A: a, Again: again, B: b, More: []string{}}
	l.EachA, l.EachAgain, l.EachB = slopeOf(a), slopeOf(again), slopeOf(b)
	l.Word = Same
	switch {
	case len(b.Commands) < Fewest:
		l.Word = Unknown
	case l.EachB.beyond(l.EachA, l.EachAgain):
		l.Word = Worse
	case l.EachA.beyond(l.EachB) && l.EachAgain.beyond(l.EachB):
		l.Word = Better
	}
	for _, what := range []string{"open files", "threads", "processes", "zombies"} {
		l.compareCount(what)
	}
	return l
}

// beyond says whether s is surely more than each of the others, by more than what
// these differ among themselves.
func (s Slope) beyond(others ...Slope) bool {
	lowest, highest := others[0].Middle, others[0].Middle
	for _, o := range others {
		if s.Low <= o.High {
			return false
		}
		lowest, highest = min(lowest, o.Middle), max(highest, o.Middle)
	}
	return s.Middle-highest > max(leastLeak, highest-lowest)
}

func (l *Leaks) compareCount(what string) {
	grew := func(g Growth) int { return max(0, g.After[what]-g.Before[what]) }
	ofA, again := grew(l.A), grew(l.Again)
	most := max(ofA, again)
	spare := max(most-min(ofA, again), int(spareShare*float64(most)))
	if what == "threads" {
		spare += spareThreads
	}
	if n := grew(l.B); n > most+spare {
		l.More = append(l.More, fmt.Sprintf("%d %s more after %d commands, A %d", n, what,
			l.B.executed(), most))
	}
}

func (g Growth) executed() int {
	if len(g.Commands) == 0 {
		return 0
	}
	return g.Commands[len(g.Commands)-1]
}

func (l *Leaks) worse() (reasons []string) {
	if l.Word == Worse {
		reasons = append(reasons, fmt.Sprintf(
			"B leaks: its memory grows by %.0f bytes with each command (%.0f to %.0f), "+
				"A's by %.0f and %.0f",
			l.EachB.Middle, l.EachB.Low, l.EachB.High, l.EachA.Middle, l.EachAgain.Middle))
	}
	for _, more := range l.More {
		reasons = append(reasons, "B leaks: "+more)
	}
	return reasons
}

// slopeOf is the middle of the slopes between every two looks (Theil and Sen), with an
// interval from how many of them there are (Kendall). Heaps grow in steps, which a
// least-squares line would follow.
func slopeOf(g Growth) Slope {
	var slopes []float64
	n := min(len(g.Commands), len(g.Memory))
	for i := range n {
		for j := i + 1; j < n; j++ {
			if g.Commands[j] > g.Commands[i] {
				slopes = append(slopes,
					float64(g.Memory[j]-g.Memory[i])/float64(g.Commands[j]-g.Commands[i]))
			}
		}
	}
	if len(slopes) == 0 {
		return Slope{}
	}
	slices.Sort(slopes)
	half := kendall(n)
	low, high := (len(slopes)-half)/2, (len(slopes)+half)/2
	return Slope{
		Middle: middle(slopes),
		Low:    slopes[max(0, low)],
		High:   slopes[min(len(slopes)-1, high)],
	}
}

// deviations is how many standard deviations hold what confidence says of what is normal.
const deviations = 3.891

// kendall is how many of the slopes between n looks lie within the interval: Kendall's
// score has this standard deviation where nothing grows (Sen, 1968).
func kendall(n int) int {
	deviation := math.Sqrt(float64(n*(n-1)*(2*n+5)) / 18)
	return int(math.Ceil(deviations * deviation))
}
