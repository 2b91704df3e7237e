package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/reapcheck/reapcheck/harness/await"
	"github.com/reapcheck/reapcheck/harness/dialect"
	"github.com/reapcheck/reapcheck/harness/probe"
	"github.com/reapcheck/reapcheck/harness/sandbox"
	"github.com/reapcheck/reapcheck/harness/session"
	"github.com/reapcheck/reapcheck/harness/speaker"
	"github.com/reapcheck/reapcheck/harness/target"
)

// detected is what was found out about the dialect of a target at one place.
type detected struct {
	// Where is the URL that was asked, or where the target listens in its sandbox.
	Where string `json:"where"`
	// Port or Socket are set for a target in a sandbox.
	probe.Listener
	// Problem says why no dialect was tried; empty where they were.
	Problem string `json:"problem,omitempty"`
	// Best is the dialect that fits better than all others.
	Best     string          `json:"best,omitempty"`
	Dialects []dialect.Guess `json:"dialects"`
}

// detectAt tries all dialects on whom open reaches.
func detectAt(ctx context.Context, where string, headers map[string]string,
	open func(dialect.Dialect) speaker.Speaker) (detected, error) {
	found := detected{Where: where}
	var asked speakers
	defer asked.close()
	asking := func(d dialect.Dialect) dialect.Speaker {
		return asked.keep(open(d.WithHeaders(headers)))
	}
	if err := dialect.AnswersHTTP(ctx, asking); err != nil {
		found.Problem = fmt.Sprintf("something listens at %s, and does not answer over HTTP: %v; "+
			"if it speaks another protocol, see docs/drivers.md", where, err)
		return found, ctx.Err()
	}
	var err error
	if found.Dialects, err = dialect.Detect(ctx, asking); err != nil {
		return found, err
	}
	for i, g := range found.Dialects {
		for _, name := range slices.Sorted(maps.Keys(headers)) {
			if g.Match == dialect.MatchFits {
				found.Dialects[i].FillIn = append(g.FillIn, "request.headers: "+name)
			}
		}
	}
	if best, ok := dialect.Best(found.Dialects); ok {
		found.Best = best.Dialect
	}
	return found, nil
}

// atURL detects the dialect of a target that runs already.
func atURL(ctx context.Context, base string, headers map[string]string) ([]detected, error) {
	if err := reachable(base); err != nil {
		return nil, err
	}
	found, err := detectAt(ctx, base, headers, func(d dialect.Dialect) speaker.Speaker {
		return speaker.OverHTTP(base, d, 1, &http.Transport{})
	})
	return []detected{found}, err
}

// inSandbox starts the target and detects its dialect wherever it listens.
func inSandbox(ctx context.Context, rt sandbox.Runtime, t target.Target,
	headers map[string]string) (all []detected, err error) {
	spec := t.Spec("detect", nil)
	spec.Port, spec.Ready, spec.Await, spec.Alone = 0, "", awaitListening, true
	sb, err := rt.Start(ctx, spec)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, sb.Stop(context.WithoutCancel(ctx))) }()
	var tried []probe.Listener
	for { // what listens last may be what takes commands
		left, err := untried(sb, tried)
		if err != nil || len(left) == 0 {
			return all, err
		}
		for _, at := range left {
			found, err := detectListener(ctx, sb, t, at, headers)
			if err != nil {
				return all, err
			}
			all, tried = append(all, found), append(tried, at)
		}
	}
}

func untried(sb sandbox.Sandbox, tried []probe.Listener) ([]probe.Listener, error) {
	if sb.Ended() != "" {
		return nil, nil
	}
	all, err := probe.Listening(sb.PID())
	return slices.DeleteFunc(all, func(l probe.Listener) bool {
		return slices.Contains(tried, l)
	}), err
}

func detectListener(ctx context.Context, sb sandbox.Sandbox, t target.Target, at probe.Listener,
	headers map[string]string) (detected, error) {
	found, err := detectAt(ctx, at.String(), headers, func(d dialect.Dialect) speaker.Speaker {
		if at.Socket != "" {
			return speaker.AtSocket(sb, at.Socket, d)
		}
		base := fmt.Sprintf("http://127.0.0.1:%d", at.Port)
		return speaker.OverHTTP(base, d, 1, sandbox.Transport(sb))
	})
	found.Listener = at
	for i, g := range found.Dialects {
		d, loadErr := dialect.Load(g.Dialect)
		if loadErr == nil && g.Match == dialect.MatchFits &&
			(d.Port != at.Port || d.Socket != at.Socket) {
			found.Dialects[i].FillIn = append([]string{standing(at)}, g.FillIn...)
		}
	}
	return found, err
}

// standing is the line of a dialect whose target listens there.
func standing(at probe.Listener) string {
	if at.Socket != "" {
		return "socket: " + at.Socket
	}
	return fmt.Sprintf("port: %d", at.Port)
}

// fitsDialect makes sure that the candidate is there and speaks its dialect.
func (o options) fitsDialect(ctx context.Context, s *session.Session) error {
	if base := o.candidate.URL; base != "" && o.candidate.Dialect.OverHTTP() {
		if err := reachable(base); err != nil {
			return fmt.Errorf("%w: %w", sandbox.ErrTarget, err)
		}
	}
	if err := s.CheckDialect(ctx); err != nil {
		return o.withDetected(ctx, s.Runtime, err)
	}
	return nil
}

// withDetected adds to the problem of a candidate that does not speak the default dialect
// which other one it speaks. The problem stays one: a guess is not what a verdict rests on.
func (o options) withDetected(ctx context.Context, rt sandbox.Runtime, problem error) error {
	if !o.detects || ctx.Err() != nil || !errors.Is(problem, sandbox.ErrTarget) ||
		errors.Is(problem, sandbox.ErrEnded) {
		return problem
	}
	var all []detected
	var err error
	if o.candidate.URL != "" {
		all, err = atURL(ctx, o.candidate.URL, nil)
	} else {
		all, err = inSandbox(ctx, rt, o.candidate, nil)
	}
	if err != nil { // it may not have come up this time, of which the problem tells
		return problem
	}
	return o.explained(problem, all)
}

// explained adds what was detected. A target that speaks the dialect in which it was not
// reached is one that only its own sandbox reaches.
func (o options) explained(problem error, all []detected) error {
	best := bestOf(all)
	if best == nil || best.Dialect != o.candidate.Dialect.Name || len(best.FillIn) > 0 {
		return fmt.Errorf("%w\nno --dialect was given, so all were tried: %s", problem, advice(all))
	}
	if o.candidate.URL != "" {
		return problem
	}
	return fmt.Errorf("%w\ninside its sandbox the target answers in the dialect %s: if it listens "+
		"on 127.0.0.1, let it listen on 0.0.0.0", problem, best.Dialect)
}

// awaitListening returns when somebody listens in the sandbox.
func awaitListening(ctx context.Context, sb sandbox.Sandbox) error {
	if sb.PID() == 0 {
		if sandbox.EndsWithin(ctx, sb, endReport) {
			return sandbox.ErrEnded
		}
		return fmt.Errorf("%w: its processes cannot be seen from this machine, so where it "+
			"listens is unknown: start it yourself, and give --url", sandbox.ErrAsking)
	}
	err := await.Wait{
		For: "a target that listens", Every: time.Millisecond, Slowest: 50 * time.Millisecond,
		Limit: sandbox.DefaultStartLimit, Over: sb.Done(),
	}.Until(ctx, func() (any, bool, error) {
		all, err := probe.Listening(sb.PID())
		return cmp.Or(err, errNothing), len(all) > 0, nil
	})
	if errors.Is(err, await.ErrOver) {
		return sandbox.ErrEnded
	}
	return err
}

// endReport is how long an engine may take to report that a target has ended. Until then
// such a target looks like one whose processes cannot be seen.
const endReport = 2 * time.Second

var errNothing = errors.New("nothing that listens")

// speakers are closed together.
type speakers struct {
	mu  sync.Mutex
	all []speaker.Speaker
}

func (s *speakers) keep(one speaker.Speaker) speaker.Speaker {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all = append(s.all, one)
	return one
}

func (s *speakers) close() {
	for _, one := range s.all {
		_ = one.Close() // which drops connections
	}
}
