package client

import (
	"context"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/reapcheck/reapcheck/harness/dialect"
)

// A target may tell of a command's end before it has answered the request that killed it:
// the command was killed all the same, and so its time was over.
func TestAKillIsWaitedFor(t *testing.T) {
	d, err := dialect.Parse("d.yaml", []byte(`
port: 80
request:
  steps:
    - {name: start, path: /start, body: {command: <command>}, keep: {id: /id}}
    - {name: wait, path: "/wait/{id}", until: [{at: /done, is: true}]}
  kill: {method: DELETE, path: "/kill/{id}?signal=<signal>"}
response: {exitCode: /code}
`))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name     string
		status   int
		timedOut bool
	}{{"killed", 200, true}, {"gone already", 404, false}} {
		asked, told := make(chan string, 1), make(chan struct{})
		var once sync.Once
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			switch r.URL.Path {
			case "/start":
				time.Sleep(20 * time.Millisecond) // the command's time is over before it has an ID
				say(w, `{"id": 7}`)
			case "/wait/7":
				select {
				case how := <-asked: // it was killed
					asked <- how
				case <-r.Context().Done():
				}
				say(w, `{"done": true, "code": null}`)
				once.Do(func() { close(told) })
			case "/kill/7":
				asked <- r.Method + " " + r.URL.RawQuery
				<-told
				time.Sleep(50 * time.Millisecond) // the client has read that by now
				w.WriteHeader(c.status)
			}
		}))
		ctx, cancel := context.WithTimeout(t.Context(), late)
		got := New(server.URL, d, 1, &http.Transport{}).Execute(ctx,
			dialect.Request{Script: "sleep 1000", Timeout: time.Millisecond})
		cancel()
		server.CloseClientConnections()
		server.Close()
		if got.TimedOut != c.timedOut || got.Known {
			t.Errorf("%s: %+v", c.name, got)
		}
		if got.Hung {
			continue
		}
		if how := <-asked; how != "DELETE signal=SIGKILL" {
			t.Errorf("%s by %q", c.name, how)
		}
	}
}

// What a dialect asks for after the answer says nothing of the command: a target that is being
// stopped may be gone by then. Where there was no answer, it is told beside what failed.
func TestACleanupIsNoAnswer(t *testing.T) {
	d, err := dialect.Parse("d.yaml", []byte(`
port: 80
request:
  steps:
    - {name: start, path: /start, body: {command: <command>}, keep: {id: /id}}
    - {name: result, path: "/result/{id}"}
  cleanup:
    - {method: DELETE, path: "/jobs/{id}"}
response: {exitCode: {step: result, at: /code}}
`))
	if err != nil {
		t.Fatal(err)
	}
	for _, answers := range []bool{true, false} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			switch {
			case r.URL.Path == "/start":
				say(w, `{"id": 7}`)
			case r.Method == http.MethodDelete || !answers:
				panic(http.ErrAbortHandler) // closes the connection
			default:
				say(w, `{"code": 5}`)
			}
		}))
		ctx, cancel := context.WithTimeout(t.Context(), late)
		got := New(server.URL, d, 1, &http.Transport{}).Execute(ctx, dialect.Request{Script: "exit 5"})
		cancel()
		server.Close()
		if answers != (got.Known && got.Code == 5) || !answers && got.Message == "" {
			t.Errorf("result answered %v: %+v", answers, got)
		}
	}
}

// A command that ends in its time is not killed.
func TestNothingIsKilledThatHasEnded(t *testing.T) {
	d, err := dialect.Parse("d.yaml", []byte(`
port: 80
request:
  path: /run
  body: {command: <command>}
  kill: {path: /kill}
response: {exitCode: /code}
`))
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/run" {
			t.Errorf("asked for %s", r.URL.Path)
		}
		say(w, `{"code": 7}`)
	}))
	defer server.Close()
	began := time.Now()
	got := New(server.URL, d, 1, &http.Transport{}).Execute(t.Context(),
		dialect.Request{Script: "exit 7", Timeout: time.Hour})
	if !got.Known || got.Code != 7 || got.TimedOut || time.Since(began) > time.Minute {
		t.Errorf("%+v after %v", got, time.Since(began))
	}
}
