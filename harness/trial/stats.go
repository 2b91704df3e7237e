package trial

import (
	"math"

	"gonum.org/v1/gonum/mathext"
)

// Upper95 is the one-sided 95 % upper bound by Clopper and Pearson (1934) of
// the rate behind `bad` of `trials`. With no bad trial it is close to
// 3/trials. No trials exclude nothing: 1.
func Upper95(bad, trials int) float64 {
	if trials <= 0 || bad >= trials {
		return 1
	}
	if bad == 0 {
		return -math.Expm1(math.Log(0.05) / float64(trials))
	}
	return mathext.InvRegIncBeta(float64(bad+1), float64(trials-bad), 0.95)
}

// Interval95 is the two-sided 95 % interval by Clopper and Pearson: each end is
// wrong with a chance of 2.5 %, so its upper end lies above Upper95.
func Interval95(bad, trials int) (low, high float64) {
	if trials <= 0 {
		return 0, 1
	}
	const tail = 0.025
	low, high = 0, 1
	if bad > 0 {
		low = mathext.InvRegIncBeta(float64(bad), float64(trials-bad+1), tail)
	}
	if bad < trials {
		high = mathext.InvRegIncBeta(float64(bad+1), float64(trials-bad), 1-tail)
	}
	return low, high
}

// Power is the chance that `trials` would have shown at least one bad trial of
// a target that misbehaves at the given rate.
func Power(rate float64, trials int) float64 {
	if rate <= 0 || trials <= 0 {
		return 0
	}
	return -math.Expm1(float64(trials) * math.Log1p(-min(rate, 1)))
}

// Quantile of sorted numbers by nearest rank; 0 of none.
func Quantile(sorted []int64, q float64) int64 {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[max(0, int(math.Ceil(q*float64(len(sorted))))-1)]
}

// Rate is n of so many; 0 of none.
func Rate(n, of int) float64 {
	if of == 0 {
		return 0
	}
	return float64(n) / float64(of)
}
