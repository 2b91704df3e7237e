package sandbox

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/reapcheck/reapcheck/harness/await"
)

// answering serves the statuses in turn; the last one stays.
func answering(t *testing.T, statuses ...int) string {
	t.Helper()
	var asked atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		n := int(asked.Add(1)) - 1
		w.WriteHeader(statuses[min(n, len(statuses)-1)])
	}))
	t.Cleanup(server.Close)
	return server.URL
}

func TestAwaitReady(t *testing.T) {
	never := make(chan struct{})
	if err := awaitReady(t.Context(), http.DefaultTransport,
		question{url: answering(t, 503, 503, 204)}, time.Minute, never); err != nil {
		t.Errorf("ready at the third request: %v", err)
	}
	if err := awaitReady(t.Context(), http.DefaultTransport, question{answering(t, 404), true},
		time.Minute, never); err != nil {
		t.Errorf("ready by any answer: %v", err)
	}
	err := awaitReady(t.Context(), http.DefaultTransport, question{url: answering(t, 503)},
		50*time.Millisecond, never)
	if err == nil || !strings.Contains(err.Error(),
		"expected within 50ms, last saw 503 Service Unavailable") {
		t.Errorf("condition, limit and last value expected, got: %v", err)
	}
	if err := awaitReady(t.Context(), http.DefaultTransport, question{url: "http://127.0.0.1:1"},
		50*time.Millisecond, never); err == nil || !strings.Contains(err.Error(), "refused") {
		t.Errorf("what refused it expected, got: %v", err)
	}
}

func TestReadyIsNotAskedElsewhere(t *testing.T) {
	elsewhere := answering(t, 200)
	server := httptest.NewServer(http.RedirectHandler(elsewhere, http.StatusTemporaryRedirect))
	defer server.Close()
	err := awaitReady(t.Context(), http.DefaultTransport, question{url: server.URL},
		50*time.Millisecond, make(chan struct{}))
	if err == nil || !strings.Contains(err.Error(),
		`307 Temporary Redirect to "`+elsewhere+`", which is not followed`) {
		t.Errorf("got: %v", err)
	}
}

// gone is a sandbox that is of no use: it has ended, its engine has, or nobody is ready in it.
type gone struct {
	Sandbox
	pid   int
	ended string
	log   string
	lost  error
}

func (g gone) PID() int      { return g.pid }
func (g gone) Log() []byte   { return []byte(g.log) }
func (g gone) Ended() string { return g.ended }
func (g gone) Lost() error   { return g.lost }

func TestATargetThatDidNotFindItsInterpreterIsToldWhereItIs(t *testing.T) {
	const interpreter = "a script needs its interpreter"
	for _, c := range []struct{ ended, log, want string }{
		{"exit status 127", "", interpreter},
		{"exit status 1", "exec /usr/local/bin/d.py: no such file or directory\n", interpreter},
		{"exit status 1", "open d.conf: no such file or directory\n", "see its log"},
		{"exit status 2", "", "see its log"},
	} {
		err := NotReady(gone{ended: c.ended, log: c.log}, Spec{}, ErrEnded)
		if !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s, %q: got %v, want %q", c.ended, c.log, err, c.want)
		}
	}
}

// Whoever listens elsewhere is told where.
func TestATargetThatIsNotReadyIsToldWhereItListens(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	defer server.Close()
	_, port, _ := strings.Cut(server.Listener.Addr().String(), ":")
	for pid, want := range map[int]string{os.Getpid(): "port " + port, 0: "answer HTTP"} {
		err := NotReady(gone{pid: pid}, Spec{Port: 2280}, await.ErrLimit)
		if !strings.Contains(err.Error(), want) || pid == 0 &&
			strings.Contains(err.Error(), "there it listens") {
			t.Errorf("process %d: %v, want %q", pid, err, want)
		}
	}
}

func TestALostEngineIsNotTheTargetsFault(t *testing.T) {
	if err := NotReady(gone{}, Spec{}, ErrEnded); !errors.Is(err, ErrTarget) {
		t.Errorf("ended: %v", err)
	}
	lost := errors.New("the engine stopped reporting")
	if err := NotReady(gone{lost: lost}, Spec{}, ErrEnded); !errors.Is(err, lost) ||
		errors.Is(err, ErrTarget) {
		t.Errorf("lost: %v", err)
	}
}

func TestAwaitReadyGivesUpEarly(t *testing.T) {
	ended := make(chan struct{})
	close(ended)
	if err := awaitReady(t.Context(), http.DefaultTransport, question{url: answering(t, 503)},
		time.Hour, ended); !errors.Is(err, ErrEnded) {
		t.Errorf("errEnded expected, got: %v", err)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	cause := errors.New("enough")
	cancel(cause)
	if err := awaitReady(ctx, http.DefaultTransport, question{url: answering(t, 503)}, time.Hour,
		make(chan struct{})); !errors.Is(err, cause) {
		t.Errorf("ctx's cause expected, got: %v", err)
	}
}
