package bench

import (
	"slices"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"
)

// Spread is the middle of some measurements and how far they lie apart. The zero
// Spread is of none.
type Spread struct {
	N      int     `json:"n"`
	Median float64 `json:"median"`
	// P25 and P75 enclose the middle half.
	P25 float64 `json:"p25"`
	P75 float64 `json:"p75"`
	// Low and High enclose the true median with 95 % confidence; both are 0
	// where there are too few measurements to say, which is below six.
	Low  float64 `json:"low95"`
	High float64 `json:"high95"`
}

// spread leaves values as they are.
func spread(values []float64) Spread {
	if len(values) == 0 {
		return Spread{}
	}
	sorted := slices.Sorted(slices.Values(values))
	s := Spread{N: len(sorted), Median: median(sorted)}
	s.P25 = stat.Quantile(0.25, stat.Empirical, sorted, nil)
	s.P75 = stat.Quantile(0.75, stat.Empirical, sorted, nil)
	if k := rank(len(sorted)); k > 0 {
		s.Low, s.High = sorted[k-1], sorted[len(sorted)-k]
	}
	return s
}

func median(sorted []float64) float64 {
	n := len(sorted)
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}

// rank is the largest k for which the k-th value from either end encloses the
// median with 95 % confidence: how many of n values lie below their median is
// a binomial number, whatever their distribution. Zero means that no k does.
func rank(n int) int {
	below := distuv.Binomial{N: float64(n), P: 0.5}
	k := 0
	for 2*(k+1) <= n && below.CDF(float64(k)) <= 0.025 {
		k++
	}
	return k
}

// outrun is the ratio of a lap in which only the first side answered, and the
// highest of all: a number, since JSON has no infinity.
const outrun = 1e6

// ratios divides what was measured in the same lap. A lap in which one side answered
// nothing counts against it; one in which neither did is no pair, nor is one that
// a side lacks.
func ratios(of, to []float64) []float64 {
	var all []float64
	for i := range min(len(of), len(to)) {
		if of[i] > 0 || to[i] > 0 {
			all = append(all, min(of[i]/to[i], outrun))
		}
	}
	return all
}
