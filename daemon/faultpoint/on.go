//go:build faultpoints

package faultpoint

import (
	"fmt"
	"slices"
	"sync"
	"time"
)

// Enabled says whether this build has fault points.
const Enabled = true

// Limits of a test's wishes, so that a forgotten point does not hold a daemon
// for ever.
const (
	MaxSleep   = time.Minute
	PauseLimit = time.Minute
	ReapLimit  = time.Minute
)

// Setting is what happens at a point. The zero value lets everyone pass. The pauses go
// in their order, and all of them before SleepMs: a child is held in one way.
type Setting struct {
	// SleepMs is slept by everyone whom nothing else holds. Time in which the whole
	// process is stopped does not count.
	SleepMs int `json:"sleepMs"`
	// Pause holds everyone until Release, at most for PauseLimit.
	Pause bool `json:"pause"`
	// PauseUntilReaped holds each arrival until its own child has been reaped,
	// at most for ReapLimit. Arrivals without a PID it does not hold.
	PauseUntilReaped bool `json:"pauseUntilReaped"`
	// PauseUntilArrival holds each arrival until somebody arrives at the point of this
	// name, at most for PauseLimit. So one step waits for another, however slow the
	// machine is.
	PauseUntilArrival Point `json:"pauseUntilArrival"`
	// ManagedOnly exempts arrivals whose PID is not known to be a command's.
	ManagedOnly bool `json:"managedOnly"`
}

// State is what a point has seen since it was last reset.
type State struct {
	Name Point `json:"name"`
	Setting
	// Arrivals counts everyone who came by, Held those whom the setting made
	// wait, LimitHit those who went on because a limit was over.
	Arrivals int `json:"arrivals"`
	Held     int `json:"held"`
	LimitHit int `json:"limitHit"`
	// Waiting is how many are held now; SleptMs is all the time spent here.
	Waiting int     `json:"waiting"`
	SleptMs float64 `json:"sleptMs"`
}

type point struct {
	mu      sync.Mutex
	state   State
	release chan struct{}
}

// names is in the order of a command's life, which is how All lists them.
var names = []Point{BeforeRegister, BeforeWait, BeforeReap, BeforePublish, BeforeLookup, BeforeUnregister}

var points = func() map[Point]*point {
	m := make(map[Point]*point, len(names))
	for _, name := range names {
		m[name] = &point{state: State{Name: name}, release: make(chan struct{})}
	}
	return m
}()

// Reach is called by the daemon at point p on behalf of the child pid, or 0
// where the child is not known. It returns when the point's setting lets it.
// Any number of goroutines may be held at one point at the same time.
func Reach(p Point, pid int) {
	points[p].reach(pid)
}

func (p *point) reach(pid int) {
	setting, release, held := p.arrive(pid)
	if !held {
		return
	}
	begin := time.Now()
	inTime := hold(setting, release, pid)
	p.leave(time.Since(begin), inTime)
}

func (p *point) arrive(pid int) (Setting, <-chan struct{}, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.state.Arrivals++
	s := p.state.Setting
	held := s.SleepMs > 0 || s.Pause || s.PauseUntilReaped && pid > 0 || s.PauseUntilArrival != ""
	if !held || s.ManagedOnly && pid <= 0 {
		return s, nil, false
	}
	p.state.Held++
	p.state.Waiting++
	return s, p.release, true
}

func (p *point) leave(spent time.Duration, inTime bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.state.Waiting--
	p.state.SleptMs += float64(spent) / float64(time.Millisecond)
	if !inTime {
		p.state.LimitHit++
	}
}

// hold reports whether it ended by what it waited for, not by a limit. A
// release ends every kind of hold.
func hold(s Setting, release <-chan struct{}, pid int) bool {
	switch {
	case s.Pause:
		return await(release, PauseLimit, nil)
	case s.PauseUntilReaped && pid > 0:
		return await(release, ReapLimit, func() bool { return reaped(pid) })
	case s.PauseUntilArrival != "":
		other := points[s.PauseUntilArrival]
		before := other.arrivals()
		return await(release, PauseLimit, func() bool { return other.arrivals() > before })
	default:
		sleep(release, time.Duration(s.SleepMs)*time.Millisecond)
		return true
	}
}

// slice is the most that a sleep takes for its own while the process is stopped.
const slice = 10 * time.Millisecond

// sleep sleeps slice by slice: clocks go on while a process is stopped, and a sleep
// in one piece would be over when it goes on.
func sleep(release <-chan struct{}, d time.Duration) {
	for ; d > 0; d -= slice {
		if await(release, min(d, slice), nil) {
			return
		}
	}
}

func (p *point) arrivals() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.state.Arrivals
}

// await returns true on release or once done says so, false after the limit.
func await(release <-chan struct{}, limit time.Duration, done func() bool) bool {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	var tick <-chan time.Time
	if done != nil {
		ticker := time.NewTicker(time.Millisecond)
		defer ticker.Stop()
		tick = ticker.C
	}
	for {
		select {
		case <-release:
			return true
		case <-timer.C:
			return false
		case <-tick:
			if done() {
				return true
			}
		}
	}
}

// Set arms a point. Those already held stay under the old setting.
func Set(name Point, s Setting) error {
	p, err := find(name)
	if err != nil {
		return err
	}
	if s.SleepMs < 0 || time.Duration(s.SleepMs) > MaxSleep/time.Millisecond {
		return fmt.Errorf("set fault point %s: sleepMs %d is not within 0..%d", name, s.SleepMs, MaxSleep/time.Millisecond)
	}
	if _, err := find(s.PauseUntilArrival); err != nil && s.PauseUntilArrival != "" {
		return fmt.Errorf("set fault point %s: pauseUntilArrival: %w", name, err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.state.Setting = s
	return nil
}

// Release lets everyone go who is held now. The setting stays.
func Release(name Point) error {
	p, err := find(name)
	if err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.let()
	return nil
}

// Reset disarms a point, lets everyone go and sets its counts to zero.
func Reset(name Point) error {
	p, err := find(name)
	if err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.state = State{Name: name, Waiting: p.state.Waiting}
	p.let()
	return nil
}

// let must be called with p.mu held.
func (p *point) let() {
	close(p.release)
	p.release = make(chan struct{})
}

// Get returns the state of one point.
func Get(name Point) (State, error) {
	p, err := find(name)
	if err != nil {
		return State{}, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.state, nil
}

// All returns the state of every point.
func All() []State {
	all := make([]State, 0, len(names))
	for _, name := range names {
		s, _ := Get(name)
		all = append(all, s)
	}
	return all
}

func find(name Point) (*point, error) {
	p, ok := points[name]
	if !ok {
		return nil, fmt.Errorf("find fault point %q: unknown, use one of %v", name, slices.Sorted(slices.Values(names)))
	}
	return p, nil
}
