package fault

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/reapcheck/reapcheck/harness/sandbox"
)

// Point is a named place in the reference daemon's own code (build tag
// faultpoints). It slows or stops whoever passes. A hit is an arrival that was
// stopped.
type Point struct {
	// Place is the point's name, such as "before-publish".
	Place string
	// Sleep stops each arrival for that long, 1 ms or more.
	Sleep time.Duration
	// UntilReaped stops each arrival until the child it is about has been
	// reaped by someone else.
	UntilReaped bool
	// UntilArrival stops each arrival until someone arrives at the point of this name:
	// an order of two steps, for which no delay has to be long enough.
	UntilArrival string
}

// Name is the place and what happens there.
func (p Point) Name() string {
	switch {
	case p.UntilReaped:
		return p.Place + " until reaped"
	case p.UntilArrival != "":
		return p.Place + " until " + p.UntilArrival
	}
	return fmt.Sprintf("%s %v", p.Place, p.Sleep)
}

// Prepare asks for the build that has the points, which count in ms.
func (p Point) Prepare(spec *sandbox.Spec) error {
	if !p.UntilReaped && p.UntilArrival == "" && p.Sleep < time.Millisecond {
		return fmt.Errorf("prepare fault point %s: a sleep of %v is too short: choose 1ms or more",
			p.Place, p.Sleep)
	}
	if spec.FaultPointsBinary == "" {
		return fmt.Errorf("%w: the target has no build with fault points", ErrDeclined)
	}
	spec.Binary = spec.FaultPointsBinary
	return nil
}

// pointSetting and pointState are the wire types of the points' endpoint.
type pointSetting struct {
	SleepMs           int64  `json:"sleepMs,omitempty"`
	PauseUntilReaped  bool   `json:"pauseUntilReaped,omitempty"`
	PauseUntilArrival string `json:"pauseUntilArrival,omitempty"`
}

type pointState struct {
	Stopped  int64 `json:"stopped"`
	LimitHit int64 `json:"limitHit"`
}

// Inject sets the point over HTTP.
func (p Point) Inject(ctx context.Context, sb sandbox.Sandbox) (Injection, error) {
	injected := stopping{
		url:  sb.URL() + "/debug/faultpoints/" + p.Place,
		http: &http.Client{Transport: sandbox.Transport(sb)},
	}
	setting := pointSetting{
		SleepMs:           p.Sleep.Milliseconds(),
		PauseUntilReaped:  p.UntilReaped,
		PauseUntilArrival: p.UntilArrival,
	}
	if err := injected.call(ctx, http.MethodPut, setting, &injected.before); err != nil {
		return nil, fmt.Errorf("set fault point %s: %w", p.Place, err)
	}
	return injected, nil
}

type stopping struct {
	url    string
	http   *http.Client
	before pointState
}

func (s stopping) Hits(ctx context.Context) (int64, string, error) {
	var now pointState
	if err := s.call(ctx, http.MethodGet, nil, &now); err != nil {
		return 0, "", fmt.Errorf("count hits of fault point: %w", err)
	}
	note := ""
	if n := now.LimitHit - s.before.LimitHit; n > 0 {
		note = fmt.Sprintf("the fault point let %d arrivals go at its limit", n)
	}
	return now.Stopped - s.before.Stopped, note, nil
}

// SoFar is what Hits would say now.
func (s stopping) SoFar(ctx context.Context) (int64, error) {
	hits, _, err := s.Hits(ctx)
	return hits, err
}

// Undo asks the target to let everyone pass. One that does not answer is no stuck
// fault: each hold ends by itself, and the target's health is looked at next.
func (s stopping) Undo(ctx context.Context) error {
	defer s.http.CloseIdleConnections()
	_ = s.call(ctx, http.MethodDelete, nil, nil)
	return nil
}

func (s stopping) call(ctx context.Context, method string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, method, s.url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	resp, err := s.http.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil {
		return err
	}
	if resp.StatusCode/100 != 2 {
		return fmt.Errorf("%s %s: HTTP %d: %s", method, s.url, resp.StatusCode, raw)
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(raw, out)
}
