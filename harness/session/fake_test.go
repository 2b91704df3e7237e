package session

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/reapcheck/reapcheck/harness/fault"
	"github.com/reapcheck/reapcheck/harness/load"
	"github.com/reapcheck/reapcheck/harness/sandbox"
	"github.com/reapcheck/reapcheck/harness/target"
	"github.com/reapcheck/reapcheck/harness/trial"
)

// fakeRuntime serves what the instant command would have answered; a target
// with the strategy "reaper-only" loses every third code.
type fakeRuntime struct {
	startErr error
	alive    atomic.Int32
	dialled  atomic.Int32 // connections to all sandboxes
	// wellFor is how often a target says that it is ready: 0 means for ever, -1 never.
	wellFor int32
	// sticks says that a target answers no command any more once one does not end.
	sticks bool
}

func (*fakeRuntime) Name() string                             { return "fake" }
func (*fakeRuntime) Prepare(context.Context, io.Writer) error { return nil }
func (*fakeRuntime) Close(context.Context) error              { return nil }
func (*fakeRuntime) Traits() sandbox.Traits {
	return sandbox.Traits{StartsAtOnce: 2}
}
func (*fakeRuntime) Describe() map[string]string { return nil }

func (f *fakeRuntime) Start(_ context.Context, spec sandbox.Spec) (sandbox.Sandbox, error) {
	if f.startErr != nil {
		return nil, f.startErr
	}
	f.alive.Add(1)
	lossy := spec.Env["DECK_STRATEGY"] == "reaper-only"
	server := httptest.NewUnstartedServer(answerInstant(lossy, f.sticks, f.wellFor))
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			f.dialled.Add(1)
		}
	}
	server.Start()
	return &fakeSandbox{Server: server, runtime: f, done: make(chan struct{})}, nil
}

var instant = regexp.MustCompile(`^echo (\w+); exit (\d+)$`)

func answerInstant(lossy, sticks bool, wellFor int32) http.HandlerFunc {
	var n atomic.Int64
	var asked atomic.Int32
	var stuck atomic.Bool
	return func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			if asked.Add(1) > wellFor && wellFor != 0 {
				w.WriteHeader(http.StatusServiceUnavailable)
			}
			return
		}
		var in struct{ Command string }
		_ = json.NewDecoder(r.Body).Decode(&in)
		parts := instant.FindStringSubmatch(in.Command)
		if parts == nil || stuck.Load() {
			stuck.Store(sticks)
			<-r.Context().Done() // a command that never ends
			return
		}
		code, _ := strconv.Atoi(parts[2])
		if lossy && n.Add(1)%3 == 0 {
			code = -1
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"exitCode": code, "result": parts[1] + "\n"})
	}
}

type fakeSandbox struct {
	*httptest.Server
	runtime *fakeRuntime
	done    chan struct{}
	log     growingLog
}

func (f *fakeSandbox) Name() string                          { return "fake" }
func (f *fakeSandbox) URL() string                           { return f.Server.URL }
func (*fakeSandbox) PID() int                                { return 0 }
func (f *fakeSandbox) Log() []byte                           { return f.log.grow() }
func (f *fakeSandbox) Done() <-chan struct{}                 { return f.done }
func (*fakeSandbox) Ended() string                           { return "exit status 2" }
func (*fakeSandbox) Signal(context.Context, os.Signal) error { return nil }
func (f *fakeSandbox) Stop(context.Context) error {
	f.Server.Close()
	f.runtime.alive.Add(-1)
	return nil
}

// fakeFault hits as often as it is told.
type fakeFault struct {
	hits    int64
	decline bool
}

func (fakeFault) Name() string { return "fake" }
func (f fakeFault) Prepare(*sandbox.Spec) error {
	if f.decline {
		return errors.Join(fault.ErrDeclined, errors.New("not here"))
	}
	return nil
}
func (f fakeFault) Inject(context.Context, sandbox.Sandbox) (fault.Injection, error) {
	return f,
		nil
}
func (f fakeFault) Hits(context.Context) (int64, string, error) {
	return f.hits, "", nil
}
func (fakeFault) Undo(context.Context) error { return nil }

func experiment(f fault.Fault) Experiment {
	arm := func(name string, role trial.Role, strategy string, claim trial.Claim) Arm {
		return Arm{Name: name, Role: role, Strategy: strategy, Claim: claim, Fault: f, Trials: 50,
			InFlight: 4, Commands: load.Instant}
	}
	return Experiment{Scenario: "storm", Arms: []Arm{
		arm("baseline", trial.Baseline, "reaper-only", trial.Loses),
		arm("candidate", trial.Candidate, "registry", trial.Clean),
	}}
}

func newSession(t *testing.T, rt *fakeRuntime) *Session {
	t.Helper()
	t.Cleanup(func() {
		if n := rt.alive.Load(); n != 0 {
			t.Errorf("%d sandboxes left", n)
		}
	})
	return &Session{Runtime: rt, Folder: t.TempDir(), Seed: 7,
		Candidate: target.Reference("registry"), Progress: &Progress{}}
}

// growingLog has one line more each time that it is read.
type growingLog struct {
	mu   sync.Mutex
	text []byte
	n    int
}

func (g *growingLog) grow() []byte {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.n++
	g.text = fmt.Appendf(g.text, "line %d\n", g.n)
	return bytes.Clone(g.text)
}
