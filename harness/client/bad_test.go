package client

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/reapcheck/reapcheck/harness/dialect"
	"github.com/reapcheck/reapcheck/harness/trial"
)

// What a target may do that no author of a dialect thinks of: each has a clear word and an
// end within the deadline, and none is taken for an exit code.

const started = `
port: 80
request:
  steps:
    - {name: start, path: /start, body: {command: <command>}, keep: {id: /id}}
    - {name: wait, path: "/wait/{id}", until: [{at: /done, is: true}]}
response: {exitCode: /code, output: /output}
`

const streamed = `
port: 80
request: {path: /run, body: {command: <command>}}
response:
  form: %s
  exitCode: %s
  output: /output
`

const overSocket = `
port: 80
request:
  steps:
    - {name: start, path: /start, body: {command: <command>}, keep: {id: /id}}
    - name: attach
      path: /attach/{id}
      form: websocket
      until: [{at: /end}]
response: {form: websocket, exitCode: /code, output: {event: binary, at: ""}}
`

// execute asks one command of a target that handle is.
func execute(t *testing.T, yaml string, handle http.HandlerFunc, limit time.Duration,
	inFlight int) trial.Answer {
	t.Helper()
	d, err := dialect.Parse("d.yaml", []byte(yaml))
	if err != nil {
		t.Fatal(err)
	}
	release := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		handle(w, r.WithContext(context.WithValue(r.Context(), released{}, release)))
	}))
	defer server.Close()
	defer close(release)
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	began := time.Now()
	answer := New(server.URL, d, inFlight, &http.Transport{}).Execute(ctx,
		dialect.Request{Script: "true"})
	if over := time.Since(began) - limit; over > 5*time.Second {
		t.Errorf("it ended %v after its deadline", over)
	}
	return answer
}

type released struct{}

// hang answers nothing until the test is over.
func hang(r *http.Request) {
	select {
	case <-r.Context().Value(released{}).(chan struct{}):
	case <-r.Context().Done():
	}
}

const (
	soon = 300 * time.Millisecond // for what waits for its deadline
	late = time.Minute            // for what must not
)

// attachedBy is a target that starts a command, and says the rest by a WebSocket.
func attachedBy(attach func(context.Context, *websocket.Conn)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/start" {
			say(w, `{"id": 7}`)
			return
		}
		conn, err := websocket.Accept(w, r, nil)
		if err != nil {
			return
		}
		defer conn.CloseNow()
		attach(r.Context(), conn)
	}
}

func say(w http.ResponseWriter, text string) {
	_, _ = io.WriteString(w, text)
	w.(http.Flusher).Flush()
}

func TestConversationsThatComeToNoEnd(t *testing.T) {
	onStart := func(first string, then http.HandlerFunc) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/start" {
				say(w, first)
				return
			}
			then(w, r)
		}
	}
	for name, c := range map[string]struct {
		handle http.HandlerFunc
		hung   bool
		want   string
	}{
		"a step without an answer": {
			onStart(`{"id": 7}`, func(_ http.ResponseWriter, r *http.Request) { hang(r) }), true,
			"no answer by the deadline to step wait",
		},
		"a poll that never holds": {
			onStart(`{"id": 7}`, func(w http.ResponseWriter, _ *http.Request) {
				say(w, `{"done": false, "code": 0}`)
			}), true, `last came HTTP 200 {"done": false, "code": 0}`,
		},
		"a poll that breaks": {
			onStart(`{"id": 7}`, func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(http.StatusBadGateway)
			}), false, "step wait: HTTP 502 HTTP 502 was not expected",
		},
		"a poll in another form": {
			onStart(`{"id": 7}`, func(w http.ResponseWriter, _ *http.Request) { say(w, `<html>`) }),
			false, "not the dialect's",
		},
		"an answer that is never whole": {
			onStart(`{"id": 7}`, func(w http.ResponseWriter, r *http.Request) {
				say(w, `{"done": true, "code": 0,`)
				hang(r)
			}), true, "no answer by the deadline",
		},
		"no ID":       {onStart(`{"ID": 7}`, nil), false, "nothing to keep as id: it holds no /id"},
		"null":        {onStart(`{"id": null}`, nil), false, "nothing to keep as id"},
		"empty":       {onStart(`{"id": ""}`, nil), false, "cannot be kept as id"},
		"a folder up": {onStart(`{"id": ".."}`, nil), false, `cannot be kept as id: ".."`},
		"an object":   {onStart(`{"id": {"a": 1}}`, nil), false, "is not text, and cannot be kept as id"},
		"a list":      {onStart(`{"id": [1]}`, nil), false, "is not text, and cannot be kept as id"},
		"a long one": {
			onStart(`{"id": "`+strings.Repeat("x", 1<<20)+`"}`, nil), false, "cannot be kept as id",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			limit := late
			if c.hung {
				limit = soon
			}
			got := execute(t, started, c.handle, limit, 1)
			if got.Known || got.Unknown || got.Hung != c.hung || !strings.Contains(got.Message, c.want) {
				t.Errorf("got %+v", got)
			}
		})
	}
}

// An ID is one part of a path, whatever it is made of.
func TestAnIDStaysInItsPlace(t *testing.T) {
	for _, id := range []string{"a/b", "../x", "a?b=c#d", "ä %2f\n", "<command>", "{id}"} {
		var path string
		got := execute(t, started, func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/start" {
				fmt.Fprintf(w, `{"id": %q}`, id)
				return
			}
			path = r.URL.Path
			say(w, `{"done": true, "code": 7, "output": "x"}`)
		}, late, 1)
		if !got.Known || got.Code != 7 || path != "/wait/"+id {
			t.Errorf("%q led to %q: %+v", id, path, got)
		}
	}
}

func envelope(flags byte, text string) string {
	return string([]byte{flags, 0, 0, 0, byte(len(text))}) + text
}

// A stream that is cut is no answer, even where the exit code has come already.
func TestStreamsThatAreCut(t *testing.T) {
	for name, c := range map[string]struct{ form, place, whole string }{
		"json-lines": {"json-lines", "/code", `{"output":"x"}` + "\n" + `{"code":7}` + "\n"},
		"sse": {
			"sse", "/code", "data: {\"output\":\"x\"}\n\n" + "data: {\"code\":7}\n\n",
		},
		"connect": {"connect", "/code", envelope(0, `{"output":"x"}`) +
			envelope(0, `{"code":7}`) + envelope(2, `{}`)},
		"json": {"json", "/code", `{"code":7,"output":"x"}`},
		"text": {"text", `{at: "", as: text}`, "7"},
	} {
		yaml := fmt.Sprintf(streamed, c.form, c.place)
		for n := range len(c.whole) {
			got := execute(t, yaml, func(w http.ResponseWriter, _ *http.Request) {
				say(w, c.whole[:n])
				panic(http.ErrAbortHandler)
			}, late, 1)
			if got.Known || got.Hung || got.Message == "" {
				t.Errorf("%s, cut after %q: %+v", name, c.whole[:n], got)
			}
		}
		got := execute(t, yaml, func(w http.ResponseWriter, r *http.Request) {
			say(w, c.whole[:len(c.whole)/2])
			hang(r)
		}, soon, 1)
		if !got.Hung {
			t.Errorf("%s, silent from the middle on: %+v", name, got)
		}
		whole := execute(t, yaml, func(w http.ResponseWriter, _ *http.Request) {
			say(w, c.whole)
		}, late, 1)
		if !whole.Known || whole.Code != 7 {
			t.Errorf("%s, whole: %+v", name, whole)
		}
	}
}

func TestWebSocketsThatCloseEarly(t *testing.T) {
	for name, c := range map[string]struct {
		attach func(context.Context, *websocket.Conn)
		want   string
	}{
		"at once": {func(context.Context, *websocket.Conn) {}, "the WebSocket was cut"},
		"in order": {
			func(_ context.Context, c *websocket.Conn) { c.Close(1000, "") },
			"ended before it said so",
		},
		"with words": {
			func(_ context.Context, c *websocket.Conn) { c.Close(1011, "no room") },
			`code 1011 "no room"`,
		},
		"after the code": {func(ctx context.Context, c *websocket.Conn) {
			_ = c.Write(ctx, websocket.MessageText, []byte(`{"code": 0}`))
		}, "the WebSocket was cut"},
		"in order after the code": {func(ctx context.Context, c *websocket.Conn) {
			_ = c.Write(ctx, websocket.MessageText, []byte(`{"code": 0}`))
			c.Close(1000, "")
		}, "ended before it said so"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := execute(t, overSocket, attachedBy(c.attach), late, 1)
			if got.Known || got.Hung || !strings.Contains(got.Message, c.want) {
				t.Errorf("got %+v", got)
			}
		})
	}
	got := execute(t, overSocket, func(w http.ResponseWriter, r *http.Request) {
		say(w, `{"id": 7, "code": 0, "end": true}`)
	}, late, 1)
	if got.Known || !strings.Contains(got.Message, "HTTP 200 was not expected") {
		t.Errorf("none opened: %+v", got)
	}
}

// A target that has said all and gone before its client wrote anything has answered. A slow
// machine brings that about; here the client's writes fail from the second one on.
func TestAWebSocketThatIsOverBeforeItIsWrittenTo(t *testing.T) {
	for name, c := range map[string]struct {
		said  string
		known bool
	}{
		"all was said": {`{"code": 7, "end": true}`, true},
		"not all":      {`{"code": 7}`, false},
	} {
		server := httptest.NewServer(attachedBy(func(ctx context.Context, conn *websocket.Conn) {
			_ = conn.Write(ctx, websocket.MessageText, []byte(c.said))
		}))
		yaml := strings.Replace(overSocket, "      until:", "      send: [{command: end}]\n      until:", 1)
		d, err := dialect.Parse("d.yaml", []byte(yaml))
		if err != nil {
			t.Fatal(err)
		}
		got := New(server.URL, d, 1, &http.Transport{DialContext: onceWritable}).Execute(t.Context(),
			dialect.Request{Script: "true"})
		server.Close()
		if got.Known != c.known || !c.known && !strings.Contains(got.Message, "write to the WebSocket") {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

// onceWritable dials a connection that cannot be written to once it is a WebSocket.
func onceWritable(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := new(net.Dialer).DialContext(ctx, network, address)
	return &writableOnce{Conn: conn}, err
}

type writableOnce struct {
	net.Conn
	upgraded atomic.Bool
}

func (w *writableOnce) Write(p []byte) (int, error) {
	if w.upgraded.Load() {
		return 0, syscall.EPIPE
	}
	if bytes.Contains(p, []byte("Upgrade: websocket")) {
		w.upgraded.Store(true)
	}
	return w.Conn.Write(p)
}
