package trial

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// Recordings of a target with a known rate of bad trials are judged a thousand
// times for each rate. The judge states three things about such a recording:
// how likely it was to see the defect (Power), below which rate the target lies
// (Upper95), and between which two (Interval95). Each has to be true as often
// as it says, give or take the chance of this test: four standard deviations.
func TestTheJudgeIsRightAsOftenAsItStates(t *testing.T) {
	const recordings, trials = 1000, 150
	for _, rate := range []float64{0, 1e-4, 1e-3, 1e-2, 0.15} {
		t.Run(fmt.Sprint(rate), func(t *testing.T) {
			t.Parallel()
			var fails, over, outside int
			r := rand.New(rand.NewPCG(7, math.Float64bits(rate)))
			baseline := planted(t, Baseline, r, 1, 1)
			for range recordings {
				candidate := planted(t, Candidate, r, rate, trials)
				verdict, why := Judge([]Summary{baseline, candidate})
				bad := candidate.BadTrials()
				if (verdict == Fail) != (bad > 0) || verdict == Inconclusive {
					t.Fatalf("%d bad of %d: %v (%s)", bad, trials, verdict, why)
				}
				if verdict == Fail {
					fails++
				}
				if rate > Upper95(bad, trials) {
					over++
				}
				if low, high := Interval95(bad, trials); rate < low || rate > high {
					outside++
				}
			}
			near(t, "failed", fails, recordings, Power(rate, trials))
			atMost(t, "excluded by Upper95 and true", over, recordings, 0.05)
			atMost(t, "outside of Interval95", outside, recordings, 0.05)
		})
	}
}

// A baseline that has to lose codes and by chance does not must not let the run
// pass: a candidate is cleared by a baseline that failed in the same run.
func TestABaselineThatWasLuckyClearsNobody(t *testing.T) {
	const recordings, trials, rate = 1000, 20, 0.15
	r := rand.New(rand.NewPCG(7, 8))
	clean := planted(t, Candidate, r, 0, 1)
	inconclusive := 0
	for range recordings {
		baseline := planted(t, Baseline, r, rate, trials)
		verdict, why := Judge([]Summary{baseline, clean})
		if (verdict == Pass) != (baseline.Counts[Lost] > 0) || verdict == Fail {
			t.Fatalf("%d lost by the baseline: %v (%s)", baseline.Counts[Lost], verdict, why)
		}
		if verdict == Inconclusive {
			inconclusive++
		}
	}
	near(t, "inconclusive", inconclusive, recordings, 1-Power(rate, trials))
}

// planted is what the judge reads of a recording in which each trial is lost
// with the given chance.
func planted(t *testing.T, role Role, r *rand.Rand, rate float64, trials int) Summary {
	t.Helper()
	claim := Clean
	if role == Baseline {
		claim = Loses
	}
	lines := []Line{{Plan: &Plan{Scenario: "storm", Arm: string(role), Role: role, Claim: claim,
		Trials: trials, InFlight: 1}}}
	for i := range trials {
		record := Record{Index: i, Kind: "instant", Outcome: OK, Micros: 1000}
		if r.Float64() < rate {
			record.Outcome = Lost
		}
		lines = append(lines, Line{Record: &record})
	}
	var text bytes.Buffer
	out := json.NewEncoder(&text)
	for _, line := range append(lines, Line{End: &End{}}) {
		if err := out.Encode(line); err != nil {
			t.Fatal(err)
		}
	}
	s, err := Read(&text)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func near(t *testing.T, what string, got, of int, want float64) {
	t.Helper()
	share := float64(got) / float64(of)
	t.Logf("%s: %.4f, stated %.4f", what, share, want)
	if math.Abs(share-want) > 4*deviation(want, of) {
		t.Errorf("%s: a share of %.4f, %.4f was stated", what, share, want)
	}
}

func atMost(t *testing.T, what string, got, of int, most float64) {
	t.Helper()
	share := float64(got) / float64(of)
	t.Logf("%s: %.4f, stated at most %.4f", what, share, most)
	if share > most+4*deviation(most, of) {
		t.Errorf("%s: a share of %.4f, at most %.4f was stated", what, share, most)
	}
}

// deviation is the standard deviation of a share that n draws give.
func deviation(p float64, n int) float64 { return math.Sqrt(p * (1 - p) / float64(n)) }
