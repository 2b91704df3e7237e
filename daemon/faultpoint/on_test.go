//go:build faultpoints

package faultpoint

import (
	"os/exec"
	"sync"
	"testing"
	"time"
)

func set(t *testing.T, name Point, s Setting) {
	t.Helper()
	t.Cleanup(func() { Reset(name) })
	if err := Set(name, s); err != nil {
		t.Fatal(err)
	}
}

func get(t *testing.T, name Point) State {
	t.Helper()
	s, err := Get(name)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s expected within a minute, last saw %+v", what, All())
		}
	}
}

func TestUnsetPointCountsAndLetsPass(t *testing.T) {
	set(t, BeforeReap, Setting{})
	Reach(BeforeReap, 1)
	Reach(BeforeReap, 0)
	if s := get(t, BeforeReap); s.Arrivals != 2 || s.Held != 0 || s.SleptMs != 0 {
		t.Errorf("state %+v, want two arrivals that passed", s)
	}
}

func TestSleepersDoNotQueue(t *testing.T) {
	const many, sleep = 50, 100 * time.Millisecond
	set(t, BeforeWait, Setting{SleepMs: int(sleep / time.Millisecond)})
	begin := time.Now()
	var all sync.WaitGroup
	for range many {
		all.Go(func() { Reach(BeforeWait, 1) })
	}
	all.Wait()
	if took := time.Since(begin); took < sleep || took > many*sleep/2 {
		t.Errorf("%d sleepers of %v took %v", many, sleep, took)
	}
	s := get(t, BeforeWait)
	if s.Arrivals != many || s.Held != many || s.Waiting != 0 || s.SleptMs < many*100 {
		t.Errorf("state %+v", s)
	}
}

func TestPauseHoldsUntilRelease(t *testing.T) {
	set(t, BeforePublish, Setting{Pause: true})
	passed := make(chan struct{})
	go func() { Reach(BeforePublish, 1); close(passed) }()
	eventually(t, "1 waiting", func() bool { return get(t, BeforePublish).Waiting == 1 })
	select {
	case <-passed:
		t.Fatal("passed before the release")
	default:
	}
	if err := Release(BeforePublish); err != nil {
		t.Fatal(err)
	}
	<-passed
	if s := get(t, BeforePublish); s.Waiting != 0 || !s.Pause || s.LimitHit != 0 {
		t.Errorf("state %+v, want nobody waiting and the pause still set", s)
	}
}

func TestResetReleasesAndForgets(t *testing.T) {
	set(t, BeforePublish, Setting{Pause: true})
	passed := make(chan struct{})
	go func() { Reach(BeforePublish, 1); close(passed) }()
	eventually(t, "1 waiting", func() bool { return get(t, BeforePublish).Waiting == 1 })
	if err := Reset(BeforePublish); err != nil {
		t.Fatal(err)
	}
	<-passed
	Reach(BeforePublish, 1)
	if s := get(t, BeforePublish); s.Waiting != 0 || s.Pause || s.Arrivals != 1 {
		t.Errorf("state %+v, want one arrival that passed", s)
	}
}

func TestPauseUntilReaped(t *testing.T) {
	set(t, BeforeWait, Setting{PauseUntilReaped: true})
	cmd := exec.Command("/bin/sleep", "60")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	passed := make(chan struct{})
	go func() { Reach(BeforeWait, cmd.Process.Pid); close(passed) }()
	eventually(t, "1 waiting", func() bool { return get(t, BeforeWait).Waiting == 1 })
	cmd.Process.Kill()
	select {
	case <-passed:
		t.Error("passed while the child was not reaped")
	case <-time.After(20 * time.Millisecond):
	}
	cmd.Wait()
	<-passed
	Reach(BeforeWait, 0) // nobody's child: passes
	if s := get(t, BeforeWait); s.Held != 1 || s.LimitHit != 0 {
		t.Errorf("state %+v, want one held", s)
	}
}

func TestPauseUntilSomebodyArrivesElsewhere(t *testing.T) {
	set(t, BeforeUnregister, Setting{})
	Reach(BeforeUnregister, 7) // too early
	set(t, BeforePublish, Setting{PauseUntilArrival: BeforeUnregister})
	passed := make(chan struct{})
	go func() { Reach(BeforePublish, 7); close(passed) }()
	eventually(t, "1 waiting", func() bool { return get(t, BeforePublish).Waiting == 1 })
	select {
	case <-passed:
		t.Error("passed before anybody arrived")
	case <-time.After(20 * time.Millisecond):
	}
	Reach(BeforeUnregister, 7)
	<-passed
	if s := get(t, BeforePublish); s.Held != 1 || s.LimitHit != 0 {
		t.Errorf("state %+v, want one held", s)
	}
	if Set(BeforePublish, Setting{PauseUntilArrival: "nowhere"}) == nil {
		t.Error("an arrival at an unknown point was accepted")
	}
}

func TestNobodysChildSleepsWhereOthersAreAwaited(t *testing.T) {
	set(t, BeforeWait, Setting{SleepMs: 1, PauseUntilReaped: true})
	Reach(BeforeWait, 0)
	if s := get(t, BeforeWait); s.Held != 1 || s.LimitHit != 0 {
		t.Errorf("state %+v, want one that slept", s)
	}
}

func TestManagedOnlyExemptsTheUnknown(t *testing.T) {
	set(t, BeforeReap, Setting{SleepMs: 1, ManagedOnly: true})
	Reach(BeforeReap, 0)
	Reach(BeforeReap, 7)
	if s := get(t, BeforeReap); s.Arrivals != 2 || s.Held != 1 {
		t.Errorf("state %+v, want one of two held", s)
	}
}

func TestBadSettings(t *testing.T) {
	for _, ms := range []int{-1, 60_001} {
		if err := Set(BeforeReap, Setting{SleepMs: ms}); err == nil {
			t.Errorf("sleepMs %d was accepted", ms)
		}
	}
	if Set("nowhere", Setting{}) == nil || Release("nowhere") == nil || Reset("nowhere") == nil {
		t.Error("an unknown point was accepted")
	}
}
