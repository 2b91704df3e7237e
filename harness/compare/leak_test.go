package compare

import (
	"math/rand/v2"
	"strings"
	"testing"
)

// heap is a daemon whose memory breathes by 2 MiB, and grows by so many bytes a command.
func heap(r *rand.Rand, each float64) Growth {
	g := Growth{
		Before: map[string]int{"open files": 9, "threads": 8},
		After:  map[string]int{"open files": 9, "threads": 10},
	}
	for i := range 20 {
		n := (i + 1) * 500
		g.Commands = append(g.Commands, n)
		g.Memory = append(g.Memory, 20<<20+int(each*float64(n))+r.IntN(2<<20))
	}
	return g
}

func TestALeakOfAKilobyteIsFound(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for range 100 {
		if l := NewLeaks(heap(r, 0), heap(r, 0), heap(r, 1024)); l.Word != Worse {
			t.Fatalf("%q: %+v, %+v and %+v", l.Word, l.EachA, l.EachAgain, l.EachB)
		}
		if l := NewLeaks(heap(r, 1024), heap(r, 1024), heap(r, 0)); l.Word != Better {
			t.Fatalf("mended: %q", l.Word)
		}
	}
}

func TestABreathingHeapIsNoLeak(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 2))
	alarms := 0
	for range 1000 {
		if l := NewLeaks(heap(r, 0), heap(r, 0), heap(r, 0)); l.Word != Same || len(l.More) > 0 {
			alarms++
		}
	}
	if alarms > 2 {
		t.Errorf("%d alarms in 1000", alarms)
	}
}

// What A leaks as well is no change.
func TestTheSameLeakIsNoChange(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 3))
	if l := NewLeaks(heap(r, 1024), heap(r, 1024), heap(r, 1024)); l.Word != Same {
		t.Errorf("%q", l.Word)
	}
}

func TestCountsThatDoNotComeBack(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 4))
	b := heap(r, 0)
	b.After["open files"] = 12
	l := NewLeaks(heap(r, 0), heap(r, 0), b)
	if len(l.More) != 1 || !strings.Contains(l.worse()[0],
		"3 open files more after 10000 commands, A 0") {
		t.Errorf("%q", l.More)
	}
	b.After["open files"], b.After["threads"] = 9, 26
	if l := NewLeaks(heap(r, 0), heap(r, 0), b); len(l.More) != 0 {
		t.Errorf("18 threads more, where A has two more and 16 are spare: %q", l.More)
	}
	// Both leave zombies, one for about as many commands as the other.
	a := heap(r, 0)
	a.After["zombies"], b.After["zombies"] = 697, 701
	if l := NewLeaks(a, a, b); len(l.More) != 0 {
		t.Errorf("about as many as A: %q", l.More)
	}
	b.After["zombies"] = 1000
	if l := NewLeaks(a, a, b); len(l.More) != 1 {
		t.Errorf("300 more than A: %q", l.More)
	}
}

func TestTooFewLooksSayNothing(t *testing.T) {
	one := Growth{Commands: []int{1}, Memory: []int{1}}
	if l := NewLeaks(one, one, one); l.Word != Unknown {
		t.Errorf("%q", l.Word)
	}
}
