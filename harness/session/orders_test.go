package session

import (
	"context"
	"io"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/reapcheck/reapcheck/harness/explore"
	"github.com/reapcheck/reapcheck/harness/results"
	"github.com/reapcheck/reapcheck/harness/trial"
)

// Walks are within an arm's trials, and leave the first order of each kind. A kind that costs
// much has none.
func TestWalksAreAShareOfAKindsOrders(t *testing.T) {
	for _, c := range []struct{ trials, walks, most, searched, walked int }{
		{60, 0, 0, 20, 0}, {60, 5, 0, 15, 5}, {60, 90, 0, 1, 19}, {60, 5, 2, 2, 0}, {1, 5, 0, 1, 0},
	} {
		kind := Order{Most: c.most}
		arm := Arm{Trials: c.trials, Walks: c.walks, Orders: []Order{kind, kind, kind}}
		searched, walks := (&exploring{runningArm: &runningArm{Arm: arm}}).share(kind)
		if searched != c.searched || walks != c.walked {
			t.Errorf("%+v: %d searched, %d walks", c, searched, walks)
		}
	}
}

// An order that hung ends the search for a candidate, and not for a baseline that is to
// lose a code: it would be left without one.
func TestWhatEndsTheSearchForAnOrder(t *testing.T) {
	candidate := &runningArm{Arm: Arm{Role: trial.Candidate, Claim: trial.Clean}}
	baseline := &runningArm{Arm: Arm{Role: trial.Baseline, Claim: trial.Loses, UntilShown: true}}
	for _, c := range []struct {
		outcome  trial.Outcome
		ended    string
		ofWhom   *runningArm
		expected bool
	}{
		{trial.OK, "", candidate, false}, {trial.OK, "", baseline, false},
		{trial.Lost, "", candidate, true}, {trial.Lost, "", baseline, true},
		{trial.Hung, "", candidate, true}, {trial.Hung, "", baseline, false},
		{trial.OK, "exit status 1", candidate, true}, {trial.OK, "exit status 1", baseline, false},
	} {
		x := &exploring{runningArm: c.ofWhom}
		run := explore.Run{Outcomes: []trial.Outcome{c.outcome}, Whys: []string{""}, Ended: c.ended}
		if got := x.ends(run); got != c.expected {
			t.Errorf("%s, %s, ended %q: ends %v", c.ofWhom.Role, c.outcome, c.ended, got)
		}
	}
}

// What is the same of several kinds is said once, whichever part was the first to say it.
func TestKindsOfWhichTheSameIsToBeSaid(t *testing.T) {
	l := &ledger{tried: map[string]string{}}
	for _, n := range [][2]string{{"three", "8 orders"}, {"two", "every order"}, {"one", "8 orders"}} {
		l.note(n[0], n[1])
	}
	want := "of each of one, three: 8 orders; two: every order"
	got := l.inWords([]Order{{Kind: "one"}, {Kind: "two"}, {Kind: "three"}, {Kind: "four"}})
	if got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// Each kind is tried by one part, in a sandbox of the part's own.
func TestPartsOfAnArmsOrders(t *testing.T) {
	arm := Arm{Name: "candidate", Orders: []Order{{Kind: "one"}, {Kind: "two"}, {Kind: "three"}}}
	a := &runningArm{Arm: arm, session: &Session{}, scenario: "orders"}
	var kinds [][]Order
	names := map[string]bool{}
	for _, x := range a.divide() {
		kinds = append(kinds, x.kinds)
		names[x.explorer.Spec.Name] = true
	}
	want := [][]Order{{{Kind: "one"}, {Kind: "three"}}, {{Kind: "two"}}}
	if !reflect.DeepEqual(kinds, want) || len(names) != len(want) {
		t.Errorf("%v in %v, want %v", kinds, names, want)
	}
	a.Orders = a.Orders[:1]
	if n := len(a.divide()); n != 1 {
		t.Errorf("%d parts of one kind", n)
	}
}

// An order ends an arm if it ends badly again. What ends so once is named and proves nothing,
// and too many of that leave the arm undecided.
func TestABadOrderIsTakenAgain(t *testing.T) {
	lost := explore.Run{Outcomes: []trial.Outcome{trial.Lost}, Whys: []string{"-1"}}
	for _, c := range []struct {
		name           string
		same           [repeats]bool
		ended, decided bool
	}{
		{"each time", [repeats]bool{true, true, true}, true, true},
		{"but for one", [repeats]bool{false, true, true}, true, true},
		{"one time more", [repeats]bool{true}, false, false},
		{"never again", [repeats]bool{}, false, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			rec, err := results.NewRecorder(filepath.Join(t.TempDir(), "arm.jsonl"), trial.Plan{})
			if err != nil {
				t.Fatal(err)
			}
			taken := 0
			x := &exploring{
				runningArm: &runningArm{Arm: Arm{Role: trial.Candidate, Claim: trial.Clean}, recorder: rec,
					session: &Session{Progress: NewProgress(io.Discard, false)}},
				ledger: &ledger{tried: map[string]string{}},
				run: func(context.Context, explore.Plan, explore.Choose) (explore.Run, error) {
					taken++
					if c.same[(taken-1)%repeats] {
						return lost, nil
					}
					return explore.Run{Outcomes: []trial.Outcome{trial.OK}, Whys: []string{""}}, nil
				},
			}
			for n := range mostOnce + 1 {
				if undecided := x.unsure(); undecided != "" {
					t.Errorf("undecided after %d: %s", n, undecided)
				}
				if x.take(t.Context(), Order{Kind: "two"}, lost); x.ended {
					break
				}
			}
			if err := rec.Close(); err != nil {
				t.Fatal(err)
			}
			if x.ended != c.ended || x.failed != nil || (x.unsure() == "") != c.decided {
				t.Errorf("ended %v, %v, %q", x.ended, x.failed, x.unsure())
			}
			if said := x.inWords(nil); strings.Contains(said, "not met again") == c.ended {
				t.Errorf("said %q", said)
			}
		})
	}
}
