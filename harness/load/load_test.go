package load

import (
	"context"
	"os/exec"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func TestRunVisitsEachIndexOnce(t *testing.T) {
	var mu sync.Mutex
	seen := map[int]int{}
	var now, most atomic.Int64
	begun, err := Run(t.Context(), 10, 110, 7, func(i int) {
		if n := now.Add(1); n > most.Load() {
			most.Store(n)
		}
		mu.Lock()
		seen[i]++
		mu.Unlock()
		now.Add(-1)
	})
	if err != nil || begun != 100 || len(seen) != 100 || most.Load() > 7 {
		t.Errorf("begun %d, distinct %d, most at once %d, error %v", begun, len(seen), most.Load(), err)
	}
	for i, n := range seen {
		if n != 1 || i < 10 || i >= 110 {
			t.Errorf("index %d visited %d times", i, n)
		}
	}
}

func TestRunStopsWhenItsContextEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	begun, err := Run(ctx, 0, 1000, 4, func(i int) {
		if i == 10 {
			cancel()
		}
	})
	if err == nil || begun >= 1000 {
		t.Errorf("begun %d, error %v", begun, err)
	}
}

func TestRunOfNothing(t *testing.T) {
	if begun, err := Run(t.Context(), 5, 5, 4, func(int) { t.Error("called") }); begun != 0 || err != nil {
		t.Errorf("begun %d, error %v", begun, err)
	}
}

// A command that did not do what it is judged by would blame every target.
func TestCommandsDoWhatTheyPromise(t *testing.T) {
	for name, source := range map[string]Source{
		"instant": Instant, "every code": EveryCode, "sleep": Lasting(20 * time.Millisecond), "bulk": Bulk, "pipeline": Pipeline, "forks": Forks,
	} {
		for i := range 5 {
			c := source(i*51, Random(3, name, i))
			cmd := exec.Command("/bin/sh", "-c", c.Script)
			out, err := cmd.CombinedOutput()
			if cmd.ProcessState == nil || cmd.ProcessState.ExitCode() != c.Want.Code || string(out) != c.Want.Output {
				t.Errorf("%s: %v, %d bytes of output, want code %d and %d bytes\n%s", name, err, len(out), c.Want.Code, len(c.Want.Output), c.Script)
			}
		}
	}
}

func TestSeededCommands(t *testing.T) {
	for i, want := range []int{0, 2, 127} {
		if c := Seeded(i, nil); c.Want.Code != want || !c.Want.AnyOutput {
			t.Errorf("%d: %+v", i, c)
		}
	}
}

func TestRandomDependsOnAllItIsGiven(t *testing.T) {
	seen := map[string]bool{}
	for _, seed := range []uint64{1, 2} {
		for _, scenario := range []string{"a", "b"} {
			for i := range 3 {
				seen[strconv.FormatUint(Random(seed, scenario, i).Uint64(), 36)] = true
				if Random(seed, scenario, i).Uint64() != Random(seed, scenario, i).Uint64() {
					t.Error("not repeatable")
				}
			}
		}
	}
	if len(seen) != 12 {
		t.Errorf("%d distinct of 12", len(seen))
	}
}
