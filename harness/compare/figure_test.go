package compare

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"
)

// usual is how many rounds a comparison has, unless it is told.
const usual = 20

// made is a figure of so many rounds: B is so much more than A, a round has its own
// level, and each instance its own noise.
func made(r *rand.Rand, rounds int, more, noise float64) Figure {
	f := Figure{Name: "executions", Unit: PerSecond, MoreIsBetter: true, Better: "faster",
		Worse: "slower"}
	for range rounds {
		level := 1000 * math.Exp(0.5*r.NormFloat64())
		one := func(share float64) float64 {
			return level * share * math.Exp(noise*r.NormFloat64())
		}
		f.A1, f.A2 = append(f.A1, one(1)), append(f.A2, one(1))
		f.B1, f.B2 = append(f.B1, one(1+more)), append(f.B2, one(1+more))
	}
	return f
}

// The machine's own speed changes by half from round to round, and is no change of B.
func TestABuildIsTheSameAsItself(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	const runs = 2000
	for _, noise := range []float64{0.01, 0.1, 0.4} {
		other := 0
		for range runs {
			if made(r, usual, 0, noise).Judge(0.05).Word != Same {
				other++
			}
		}
		if other > runs/1000 { // five figures in 50 runs are 250
			t.Errorf("noise %v: %d of %d were not the same", noise, other, runs)
		}
	}
}

func TestFivePercentAreFoundWhereItIsQuiet(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	const runs = 300
	found := 0
	for range runs {
		if d := made(r, usual, -0.05, 0.025).Judge(0); d.Word == Worse && d.BeyondTolerance {
			found++
		}
	}
	if found < runs*98/100 {
		t.Errorf("found in %d of %d", found, runs)
	}
}

func TestWords(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for _, c := range []struct {
		name         string
		more, noise  float64
		moreIsBetter bool
		word         Word
		beyond       bool
		says         string
	}{
		{"a rate that falls", -0.2, 0.01, true, Worse, true, "slower by 20 %"},
		{"a rate that rises", 0.2, 0.01, true, Better, false, "faster by 20 %"},
		{"a cost that rises", 0.2, 0.01, false, Worse, true, "more"},
		{"a cost that falls", -0.2, 0.01, false, Better, false, "less"},
		{"worse, and tolerated", -0.03, 0.002, true, Worse, false, "slower by 3."},
		{"hidden by noise", -0.05, 0.3, true, Same, false, "the same within"},
	} {
		f := made(r, usual, c.more, c.noise)
		f.MoreIsBetter = c.moreIsBetter
		if !c.moreIsBetter {
			f.Better, f.Worse = "less", "more"
		}
		d := f.Judge(0.05)
		if d.Word != c.word || d.BeyondTolerance != c.beyond ||
			!strings.Contains(d.Sentence(), c.says) {
			t.Errorf("%s: %q, beyond %v: %s", c.name, d.Word, d.BeyondTolerance, d.Sentence())
		}
	}
}

// A change that A shows against itself as well is noise, however sure it looks.
func TestWhatAShowsAgainstItselfIsNoise(t *testing.T) {
	f := made(rand.New(rand.NewPCG(8, 8)), usual, -0.1, 0.01)
	for i := range f.A2 {
		f.A2[i] *= 1.3 // an instance that is always the slower one
	}
	if d := f.Judge(0.05); d.Word != Same {
		t.Errorf("%+v", d)
	}
}

func TestTooFewRoundsSayNothing(t *testing.T) {
	d := made(rand.New(rand.NewPCG(9, 9)), 5, -0.5, 0.01).Judge(0.05)
	if d.Word != Unknown || d.BeyondTolerance ||
		!strings.Contains(d.Sentence(), "5 rounds are too few") {
		t.Errorf("%+v: %s", d, d.Sentence())
	}
}
