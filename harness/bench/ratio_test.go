package bench

import (
	"math"
	"slices"
	"testing"

	"gonum.org/v1/gonum/stat/distuv"
)

// The ranks are those of the tables for the sign test.
func TestRankOfTheMedian(t *testing.T) {
	for n, want := range map[int]int{0: 0, 1: 0, 5: 0, 6: 1, 9: 2, 12: 3, 20: 6, 50: 18, 100: 40} {
		if got := rank(n); got != want {
			t.Errorf("rank(%d) = %d, want %d", n, got, want)
		}
	}
}

// An interval that is drawn too close would turn noise into a verdict: among
// all ways in which n values can lie around their median, the k-th from either
// end must leave it out in at most 5 of 100.
func TestTheIntervalKeepsItsPromise(t *testing.T) {
	for n := 6; n <= 200; n++ {
		below := distuv.Binomial{N: float64(n), P: 0.5}
		if missed := 2 * below.CDF(float64(rank(n)-1)); missed > 0.05 {
			t.Errorf("%d values: missed with probability %.3f", n, missed)
		}
	}
}

func TestSpread(t *testing.T) {
	values := []float64{9, 1, 8, 2, 7, 3, 6, 4, 5}
	before := slices.Clone(values)
	got := spread(values)
	if want := (Spread{N: 9, Median: 5, P25: 3, P75: 7, Low: 2, High: 8}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if !slices.Equal(values, before) {
		t.Error("the values were sorted in place: they are in the order of the laps")
	}
	if got := spread([]float64{1, 2, 3, 4}); got.Median != 2.5 || got.Low != 0 || got.High != 0 {
		t.Errorf("four values: %+v", got)
	}
	if spread(nil) != (Spread{}) {
		t.Error("a spread of nothing")
	}
}

func TestRatiosArePaired(t *testing.T) {
	got := ratios([]float64{2, 9, 0, 8, 0, 5}, []float64{1, 3, 7, 0, 0})
	if want := []float64{2, 3, 0, outrun}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	for _, q := range ratios([]float64{1, math.MaxFloat64}, []float64{0, 0.1}) {
		if q != outrun {
			t.Errorf("a ratio of %v", q)
		}
	}
}
