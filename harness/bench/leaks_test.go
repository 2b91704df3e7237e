package bench

import (
	"testing"
	"time"
)

// A daemon that answers 100 commands a second has no time for 100,000 of them.
func TestASlowDaemonExecutesFewerCommands(t *testing.T) {
	b := Bench{Scale: Scale{Strategies: []string{Candidate, registry}, Commands: 100_000}}
	if got := b.budget(0); got.commands(leakWarmUp, time.Hour, 0) != 100_000 {
		t.Errorf("%+v: fewer, and no limit was set", got)
	}
	b.Until = time.Now().Add(2 * time.Minute)
	own, shown := b.budget(0), b.budget(1)
	if left := time.Until(own.until); left < 100*time.Second || left > 110*time.Second {
		t.Errorf("%v for the daemon that is judged, of two minutes", left)
	}
	if left := time.Until(shown.until); left < 110*time.Second {
		t.Errorf("%v for the last one, of two minutes", left)
	}
	for _, c := range []struct {
		of   budget
		took time.Duration // for the warm-up
		want int
	}{
		{own, 20 * time.Second, 9000},
		{own, time.Second, 100_000},
		{own, time.Hour, leastCommands},
		{shown, time.Hour, leastCommands / 10},
	} {
		if got := c.of.commands(leakWarmUp, c.took, 90*time.Second); got != c.want {
			t.Errorf("%d commands after a warm-up of %v, want %d", got, c.took, c.want)
		}
	}
}
