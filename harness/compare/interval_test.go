package compare

import (
	"math"
	"math/rand/v2"
	"testing"
)

// The counts of the exact distribution are those of Wilcoxon's table: for 12 rounds at
// 1 % on both sides the sum must be at most 7, for 8 at most 0.
func TestSignedRankIsWilcoxonsTable(t *testing.T) {
	for n, want := range map[int]int{7: 0, 8: 1, 10: 4, 12: 8, 20: 38} {
		if got := signedRank(n, 0.005); got != want {
			t.Errorf("%d rounds: k is %d, want %d", n, got, want)
		}
	}
}

func TestIntervalOfTheSameIsNothing(t *testing.T) {
	i := intervalOf(make([]float64, usual))
	if !i.none() || i.Middle != 0 || i.most() != 0 {
		t.Errorf("%+v", i)
	}
}

// Too few rounds leave the interval open.
func TestAFewRoundsAreOpen(t *testing.T) {
	if i := intervalOf([]float64{1, 1, 1}); !math.IsInf(i.Low, -1) || !math.IsInf(i.High, 1) {
		t.Errorf("%+v", i)
	}
}

// The interval holds the truth as often as it says, also where a round in ten is wild.
func TestIntervalHoldsTheTruth(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 7))
	const runs = 2000
	missed := 0
	for range runs {
		logs := make([]float64, usual)
		for i := range logs {
			logs[i] = 0.1 + 0.03*r.NormFloat64()
			if r.IntN(10) == 0 {
				logs[i] += 0.5 * r.NormFloat64()
			}
		}
		if i := intervalOf(logs); i.Low > change(0.1) || i.High < change(0.1) {
			missed++
		}
	}
	if missed > 1 {
		t.Errorf("%d of %d intervals missed the truth, one in 10,000 may", missed, runs)
	}
}
