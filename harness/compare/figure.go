package compare

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
)

// Figure is what was measured, a value for each round and instance. The slices are
// equally long, and all values are above zero.
type Figure struct {
	// Name is in words, and Unit how its values are shown.
	Name string
	Unit Unit
	// MoreIsBetter is so for rates.
	MoreIsBetter bool
	// Better and Worse are the words for it, such as "faster" and "slower".
	Better, Worse string
	A1, A2        []float64
	B1, B2        []float64
}

// Unit says how a value is shown.
type Unit string

// The units of all figures: commands per second, microseconds, and bytes of memory.
const (
	PerSecond Unit = "/s"
	Micros    Unit = "us"
	Bytes     Unit = "bytes"
)

// Word is what a comparison comes to.
type Word string

const (
	// Unknown is the zero Word: too little was measured to say anything.
	Unknown Word = ""
	// Same means that no change can be told from noise. Difference.Within says how large
	// a change could still hide in it.
	Same Word = "the same"
	// Better means that B does more than A, or costs less, by more than either side differs
	// from itself.
	Better Word = "better"
	// Worse means that B does less than A, or costs more, by as much.
	Worse Word = "worse"
)

// Difference is a figure, judged.
type Difference struct {
	Name         string `json:"name"`
	Unit         Unit   `json:"unit"`
	MoreIsBetter bool   `json:"moreIsBetter,omitempty"`
	// A and B are the middle of the rounds.
	A float64 `json:"a"`
	B float64 `json:"b"`
	// Change is that of B to A.
	Change Interval `json:"change"`
	// NoiseA is that of A to itself, and NoiseB of B to itself.
	NoiseA Interval `json:"noiseA"`
	NoiseB Interval `json:"noiseB"`
	// Within is how large a change may be and not show.
	Within float64 `json:"within"`
	Word   Word    `json:"word"`
	// Says is the word as one says it of this figure, such as "slower".
	Says string `json:"says"`
	// Why says why there is no word.
	Why string `json:"why,omitempty"`
	// BeyondTolerance says that B is surely worse by more than is tolerated.
	BeyondTolerance bool `json:"beyondTolerance,omitempty"`
	// Changes and Noises are those of each round, for whoever draws them.
	Changes []float64 `json:"changes"`
	Noises  []float64 `json:"noises"`
}

// Judge compares the two sides of a figure.
func (f Figure) Judge(tolerate float64) Difference {
	d := Difference{
		Name: f.Name, Unit: f.Unit, MoreIsBetter: f.MoreIsBetter,
		A: middle(both(f.A1, f.A2)), B: middle(both(f.B1, f.B2)),
		Changes: []float64{}, Noises: []float64{},
	}
	a, b := means(f.A1, f.A2), means(f.B1, f.B2)
	changes := each(b, a, func(b, a float64) float64 { return b - a })
	ofA, ofB := ratios(f.A2, f.A1), ratios(f.B2, f.B1)
	for i := range changes {
		d.Changes, d.Noises = append(d.Changes, change(changes[i])),
			append(d.Noises, change(ofA[i]))
	}
	if len(changes) < Fewest {
		d.Why = fmt.Sprintf("%d rounds are too few to say: %d are needed", len(changes), Fewest)
		return d
	}
	d.Change, d.NoiseA, d.NoiseB = intervalOf(changes), intervalOf(ofA), intervalOf(ofB)
	// What rounds scatter by is in the interval of the change. Here is what one side's
	// instances differ by in all of them, as if one had the better place.
	d.judge(max(math.Abs(d.NoiseA.Middle), math.Abs(d.NoiseB.Middle)), tolerate)
	d.Says = map[Word]string{Same: string(Same), Better: f.Better, Worse: f.Worse}[d.Word]
	return d
}

// judge finds the word: a change counts if it is sure, and larger than the noise.
func (d *Difference) judge(noise, tolerate float64) {
	d.Within = max(noise, d.Change.most())
	d.Word = Same
	if d.Change.none() || math.Abs(d.Change.Middle) <= noise {
		return
	}
	d.Word = Better
	if (d.Change.Middle > 0) != d.MoreIsBetter {
		d.Word = Worse
		least := min(math.Abs(d.Change.Low), math.Abs(d.Change.High))
		d.BeyondTolerance = least > tolerate
	}
}

// means are the logarithms of the geometric means of two instances, round by round.
func means(one, other []float64) []float64 {
	return each(one, other, func(a, b float64) float64 { return (math.Log(a) + math.Log(b)) / 2 })
}

// ratios are the logarithms of how one side compares to the other, round by round.
func ratios(of, to []float64) []float64 {
	return each(of, to, func(a, b float64) float64 { return math.Log(a) - math.Log(b) })
}

func each(a, b []float64, do func(a, b float64) float64) []float64 {
	var all []float64
	for i := range min(len(a), len(b)) {
		all = append(all, do(a[i], b[i]))
	}
	return all
}

func both(a, b []float64) []float64 { return append(slices.Clone(a), b...) }

func middle(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(values))
	return (sorted[(len(sorted)-1)/2] + sorted[len(sorted)/2]) / 2
}

// Interval is a change as a share (0.05 is 5 % more), and between what it surely lies.
type Interval struct {
	// N is how many rounds it is of.
	N      int     `json:"n"`
	Middle float64 `json:"middle"`
	Low    float64 `json:"low"`
	High   float64 `json:"high"`
}

// MarshalJSON writes an end that is open as null: JSON has no infinity.
func (i Interval) MarshalJSON() ([]byte, error) {
	end := func(v float64) *float64 {
		if math.IsInf(v, 0) || math.IsNaN(v) {
			return nil
		}
		return &v
	}
	return json.Marshal(map[string]any{
		"n": i.N, "middle": end(i.Middle), "low": end(i.Low), "high": end(i.High),
	})
}

// confidence is how often an interval holds the truth. A report has five figures, and CI
// makes thousands of reports: with 99 % one in twenty would be a false accusation.
const confidence = 0.9999

// Fewest is below how many rounds, turns or looks there is no interval: of 14 even all on one
// side is chance once in 8,192.
const Fewest = 15

// none says whether no change lies within.
func (i Interval) none() bool { return i.Low <= 0 && i.High >= 0 }

// most is how far from no change the truth may lie.
func (i Interval) most() float64 { return max(math.Abs(i.Low), math.Abs(i.High)) }

// intervalOf is of logarithms of ratios, one for each round.
func intervalOf(logs []float64) Interval {
	sums := pairMeans(logs)
	i := Interval{N: len(logs)}
	if len(sums) == 0 {
		return i
	}
	i.Middle = change((sums[(len(sums)-1)/2] + sums[len(sums)/2]) / 2)
	k := signedRank(len(logs), (1-confidence)/2)
	if k == 0 {
		i.Low, i.High = math.Inf(-1), math.Inf(1)
		return i
	}
	i.Low, i.High = change(sums[k-1]), change(sums[len(sums)-k])
	return i
}

// change makes a share of a logarithm.
func change(log float64) float64 { return math.Expm1(log) }

// pairMeans are the means of every two values, and of each with itself, in order. Their
// middle is Hodges' and Lehmann's estimate.
func pairMeans(values []float64) []float64 {
	var means []float64
	for i, a := range values {
		for _, b := range values[i:] {
			means = append(means, (a+b)/2)
		}
	}
	slices.Sort(means)
	return means
}

// signedRank is the largest k for which a sum of signed ranks below k comes up with a
// chance of at most alpha where there is no change; 0 where there is none.
func signedRank(n int, alpha float64) int {
	ways := []float64{1} // of each sum, by how many ranks are positive
	for rank := 1; rank <= n; rank++ {
		next := make([]float64, len(ways)+rank)
		for sum, count := range ways {
			next[sum] += count / 2
			next[sum+rank] += count / 2
		}
		ways = next
	}
	k, chance := 0, 0.0
	for ; k < len(ways); k++ {
		if chance += ways[k]; chance > alpha {
			break
		}
	}
	return k
}
