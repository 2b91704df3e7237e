package compare

import (
	"math"
	"slices"
)

// Interval is a change as a share (0.05 is 5 % more), and between what it surely lies.
type Interval struct {
	// N is how many rounds it is of.
	N      int     `json:"n"`
	Middle float64 `json:"middle"`
	Low    float64 `json:"low99"`
	High   float64 `json:"high99"`
}

// confidence is how often an interval holds the truth.
const confidence = 0.99

// fewest is below how many rounds there is no interval: of 7 even all on one side is
// chance once in 64.
const fewest = 8

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
