package client

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/reapcheck/reapcheck/harness/dialect"
	"github.com/reapcheck/reapcheck/harness/trial"
)

func TestExecuteReadsEveryAnswer(t *testing.T) {
	for _, c := range []struct {
		name   string
		status int
		body   string
		want   trial.Answer // Message is not compared
	}{
		{"a code", 200, `{"exitCode":255,"result":"x"}`, trial.Answer{
			Known:  true,
			Code:   255,
			Output: "x",
		}},
		{"zero", 200, `{"exitCode":0,"result":""}`, trial.Answer{Known: true}},
		{"unknown", 200, `{"exitCode":-1,"result":"x"}`, trial.Answer{Unknown: true, Output: "x"}},
		{"another negative code", 200, `{"exitCode":-2,"result":""}`, trial.Answer{
			Known: true,
			Code:  -2,
		}},
		{"status lost", 500, `{"code":"EXIT_STATUS_LOST","message":"gone"}`, trial.Answer{
			Unknown: true,
			Failed:  true,
		}},
		{"timeout", 408, `{"code":"TIMEOUT","result":"part"}`, trial.Answer{
			TimedOut: true,
			Output:   "part",
			Failed:   true,
		}},
		{"no code", 200, `{"result":"x"}`, trial.Answer{Output: "x"}},
		{"a code under an error", 500, `{"exitCode":0,"result":""}`, trial.Answer{Failed: true}},
		{"an error in plain text", 404, `no such folder`, trial.Answer{Failed: true}},
		{"not JSON", 200, `<html>`, trial.Answer{}},
		{"nothing", 200, ``, trial.Answer{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter,
				_ *http.Request) {
				w.WriteHeader(c.status)
				_, _ = w.Write([]byte(c.body))
			}))
			defer server.Close()
			got := New(server.URL, dialect.ProcessExecute(), 1,
				&http.Transport{}).Execute(t.Context(), dialect.Request{Script: "true"})
			if got.Message == "" && !got.Known {
				t.Error("an answer without a code must say why")
			}
			got.Message, got.Status = "", 0
			if got != c.want {
				t.Errorf("got %+v, want %+v", got, c.want)
			}
		})
	}
}

// A client that gives up before it has asked leaves nothing behind to look for.
func TestHangingUpBeginsWithTheRequest(t *testing.T) {
	asked := make(chan string, 1)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		asked <- string(body)
		<-r.Context().Done()
	}))
	defer server.Close()
	const patience = 20 * time.Millisecond
	slow := &http.Transport{DialContext: func(ctx context.Context, network,
		address string) (net.Conn, error) {
		select {
		case <-time.After(10 * patience):
		case <-ctx.Done():
		}
		return new(net.Dialer).DialContext(ctx, network, address)
	}}
	answer := New(server.URL, dialect.ProcessExecute(), 1, slow).Execute(t.Context(),
		dialect.Request{
			Script:      "sleep 30",
			HangUpAfter: patience,
		})
	if !answer.HungUp {
		t.Errorf("got %+v", answer)
	}
	select {
	case body := <-asked:
		if !strings.Contains(body, "sleep 30") {
			t.Errorf("asked %q", body)
		}
	case <-time.After(10 * time.Second):
		t.Error("the target was not asked within 10 s")
	}
}

// Servers close idle connections after some seconds, and a request that meets that
// is not answered.
func TestConnectionsDoNotIdle(t *testing.T) {
	transport := &http.Transport{IdleConnTimeout: time.Minute}
	New("http://127.0.0.1", dialect.ProcessExecute(), 4, transport)
	if limit := transport.IdleConnTimeout; limit <= 0 || limit > time.Second {
		t.Errorf("a connection may idle for %v", limit)
	}
}

func TestADeadlineIsAHungTarget(t *testing.T) {
	release := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter,
		*http.Request) {
		<-release
	}))
	defer server.Close()
	defer close(release)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if got := New(server.URL, dialect.ProcessExecute(), 1, &http.Transport{}).Execute(ctx,
		dialect.Request{}); !got.Hung {
		t.Errorf("got %+v", got)
	}
}

func TestAnAbsentTargetIsAnError(t *testing.T) {
	got := New("http://127.0.0.1:1", dialect.ProcessExecute(), 1,
		&http.Transport{}).Execute(t.Context(), dialect.Request{})
	if got.Known || got.Hung || got.Unknown || got.Message == "" {
		t.Errorf("got %+v", got)
	}
}

// The target may not send the load to another host, be it by the same method or
// by another one.
func TestNobodyIsSentElsewhere(t *testing.T) {
	for _, status := range []int{http.StatusFound, http.StatusTemporaryRedirect} {
		var elsewhere atomic.Int64
		other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			elsewhere.Add(1)
			_, _ = w.Write([]byte(`{"exitCode":0,"result":""}`))
		}))
		defer other.Close()
		server := httptest.NewServer(http.RedirectHandler(other.URL, status))
		defer server.Close()
		got := New(server.URL, dialect.ProcessExecute(), 1, &http.Transport{}).Execute(t.Context(),
			dialect.Request{Script: "true"})
		if got.Known || elsewhere.Load() != 0 {
			t.Errorf("%d: %d requests elsewhere, got %+v", status, elsewhere.Load(), got)
		}
	}
}

// Half an answer must not pass for a whole one.
func TestATornAnswerIsAnError(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "100")
		_, _ = w.Write([]byte(`{"exitCode":0,"result":""}`))
	}))
	defer server.Close()
	got := New(server.URL, dialect.ProcessExecute(), 1, &http.Transport{}).Execute(t.Context(),
		dialect.Request{})
	if got.Known || got.Message == "" {
		t.Errorf("got %+v", got)
	}
}

func TestAnAnswerThatIsTooLongIsCalledThat(t *testing.T) {
	const inFlight = 64
	const most = 2 << 20
	for _, c := range []struct {
		spare int
		want  string
	}{{0, ""}, {1, "longer than 2 MiB"}} {
		body := `{"exitCode":0,"result":""}`
		body += strings.Repeat(" ", most-len(body)+c.spare)
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter,
			_ *http.Request) {
			_, _ = io.WriteString(w, body)
		}))
		got := New(server.URL, dialect.ProcessExecute(), inFlight,
			&http.Transport{}).Execute(t.Context(), dialect.Request{})
		server.Close()
		if got.Known != (c.want == "") || !strings.Contains(got.Message, c.want) {
			t.Errorf("%d bytes too many: %+v", c.spare, got)
		}
	}
}
