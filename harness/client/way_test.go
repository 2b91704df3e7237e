package client

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/reapcheck/reapcheck/harness/dialect"
)

// A server sees each way to write a request, and the same command by all of them.
func TestWaysToWriteARequest(t *testing.T) {
	const script = "echo Gr\u00fc\u00dfe \U0001f600"
	for way, written := range map[dialect.Way]func(r *http.Request, body string) bool{
		dialect.Chunked:  func(r *http.Request, _ string) bool { return r.ContentLength < 0 },
		dialect.Expects:  func(r *http.Request, _ string) bool { return r.Header.Get("Expect") != "" },
		dialect.Version0: func(r *http.Request, _ string) bool { return !r.ProtoAtLeast(1, 1) },
		dialect.Charset: func(r *http.Request, _ string) bool {
			return strings.HasSuffix(r.Header.Get("Content-Type"), "; charset=utf-8")
		},
		dialect.Escaped: func(_ *http.Request, body string) bool {
			return strings.Contains(body, `\u00fc\u00dfe \ud83d\ude00`)
		},
		dialect.Spaced: func(_ *http.Request, body string) bool {
			return strings.HasPrefix(body, "{\n\t") && strings.HasSuffix(body, "}\n")
		},
		dialect.Slowly: func(*http.Request, string) bool { return true },
		dialect.Ahead:  func(*http.Request, string) bool { return true },
		dialect.Again:  func(*http.Request, string) bool { return true },
	} {
		t.Run(string(way), func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(
				func(w http.ResponseWriter, r *http.Request) {
					body, _ := io.ReadAll(r.Body)
					var asked struct{ Command string }
					err := json.Unmarshal(body, &asked)
					if err != nil || asked.Command != script || !written(r, string(body)) {
						t.Errorf("%s %v %q: %v", r.Proto, r.Header, body, err)
					}
					fmt.Fprint(w, `{"exitCode":7,"result":""}`)
				}))
			defer server.Close()
			answer := asking(t, server.URL).Execute(t.Context(),
				dialect.Request{Script: script, Way: way})
			if !answer.Known || answer.Code != 7 {
				t.Errorf("%+v", answer)
			}
		})
	}
}

func asking(t *testing.T, url string) *Client {
	t.Helper()
	c := New(url, dialect.ProcessExecute(), 1, http.DefaultTransport.(*http.Transport).Clone())
	t.Cleanup(c.Close)
	return c
}

// A connection that was said to close is not used again; one that was not, and closes,
// fails the request.
func TestAConnectionThatHasRested(t *testing.T) {
	for said, known := range map[string]bool{"Connection: close\r\n": true, "": false} {
		var asked atomic.Int32
		server := httptest.NewServer(http.HandlerFunc(
			func(w http.ResponseWriter, r *http.Request) {
				asked.Add(1)
				_, _ = io.Copy(io.Discard, r.Body)
				conn, to, err := w.(http.Hijacker).Hijack()
				if err != nil {
					t.Error(err)
					return
				}
				defer conn.Close()
				answerAndClose(to, said)
			}))
		answer := asking(t, server.URL).Execute(t.Context(),
			dialect.Request{Script: "exit 7", Way: dialect.Again})
		server.Close()
		if answer.Known != known || known != (asked.Load() == 2) {
			t.Errorf("said %q: asked %d times, %+v", said, asked.Load(), answer)
		}
	}
}

func answerAndClose(to *bufio.ReadWriter, said string) {
	const body = `{"exitCode":7,"result":""}`
	fmt.Fprintf(to, "HTTP/1.1 200 OK\r\n%sContent-Length: %d\r\n\r\n%s", said, len(body), body)
	_ = to.Flush()
}
