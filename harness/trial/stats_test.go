package trial

import (
	"math"
	"testing"
)

// The values are the one-sided 95 % bounds of Clopper and Pearson, in closed
// form for no bad trial (1 - 0.05^(1/n)) and for n-1 bad ones
// (0.95^(1/n)).
func TestUpper95(t *testing.T) {
	for _, c := range []struct {
		bad, trials int
		want        float64
	}{
		{0, 1, 0.95},
		{0, 50000, 1 - math.Pow(0.05, 1.0/50000)},
		{9, 10, math.Pow(0.95, 0.1)},
		{10, 10, 1},
		{0, 0, 1},
	} {
		if got := Upper95(c.bad, c.trials); math.Abs(got-c.want) > 1e-9 {
			t.Errorf("%d of %d: got %v, want %v", c.bad, c.trials, got, c.want)
		}
	}
}

// The bound's definition: at that rate, so few bad trials have a chance of 5 %.
func TestUpper95InvertsTheBinomial(t *testing.T) {
	for _, c := range [][2]int{{1, 20}, {3, 100}, {17, 1000}} {
		bad, n := c[0], c[1]
		p, tail := Upper95(bad, n), 0.0
		for k := range bad + 1 {
			lc, _ := math.Lgamma(float64(n + 1))
			la, _ := math.Lgamma(float64(k + 1))
			lb, _ := math.Lgamma(float64(n - k + 1))
			tail += math.Exp(lc - la - lb + float64(k)*math.Log(p) + float64(n-k)*math.Log1p(-p))
		}
		if math.Abs(tail-0.05) > 1e-6 {
			t.Errorf("%d of %d: tail %v at %v", bad, n, tail, p)
		}
	}
}

func TestPower(t *testing.T) {
	for _, c := range []struct {
		rate   float64
		trials int
		want   float64
	}{{0.5, 1, 0.5}, {0.5, 2, 0.75}, {0, 1000, 0}, {1, 1, 1}, {0.1, 0, 0}} {
		if got := Power(c.rate, c.trials); math.Abs(got-c.want) > 1e-12 {
			t.Errorf("%v over %d: got %v, want %v", c.rate, c.trials, got, c.want)
		}
	}
}

// Textbook values of the Clopper-Pearson interval.
func TestInterval95(t *testing.T) {
	for _, c := range []struct {
		bad, trials int
		low, high   float64
	}{
		{0, 0, 0, 1},
		{0, 10, 0, 0.3084971},
		{10, 10, 0.6915029, 1},
		{5, 10, 0.1870860, 0.8129140},
		{1, 100, 0.0002531460, 0.0544594},
	} {
		low, high := Interval95(c.bad, c.trials)
		if math.Abs(low-c.low) > 1e-6 || math.Abs(high-c.high) > 1e-6 {
			t.Errorf("%d of %d: %.7f..%.7f, want %.7f..%.7f", c.bad, c.trials, low, high, c.low,
				c.high)
		}
	}
}
