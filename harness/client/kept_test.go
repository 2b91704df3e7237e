package client

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/reapcheck/reapcheck/harness/await"
	"github.com/reapcheck/reapcheck/harness/dialect"
)

const answered = `{"exitCode":7,"result":"x"}`

// counted is a target that counts the connections that were made to it, and those that are
// open.
type counted struct {
	*httptest.Server
	made, open atomic.Int64
}

func newCounted(t *testing.T) *counted {
	t.Helper()
	s := &counted{}
	s.Server = httptest.NewUnstartedServer(http.HandlerFunc(
		func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			_, _ = io.WriteString(w, answered)
		}))
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		switch state {
		case http.StateNew:
			s.made.Add(1)
			s.open.Add(1)
		case http.StateClosed:
			s.open.Add(-1)
		}
	}
	s.Start()
	t.Cleanup(s.Close)
	return s
}

func newClient(t *testing.T, base string, transport *http.Transport) *Client {
	t.Helper()
	c := New(base, dialect.ProcessExecute(), 2, transport)
	t.Cleanup(c.Close)
	return c
}

func (c *Client) expectAnswer(t *testing.T, r dialect.Request) {
	t.Helper()
	answer := c.Execute(t.Context(), r)
	if !answer.Known || answer.Code != 7 || answer.Output != "x" {
		t.Errorf("%+v", answer)
	}
}

// One connection serves requests that follow each other, small ones and large ones each,
// and none is left open for longer than servers wait.
func TestConnectionsAreKeptForAWhile(t *testing.T) {
	s := newCounted(t)
	c := newClient(t, s.URL, &http.Transport{})
	for range 5 {
		c.expectAnswer(t, dialect.Request{Script: "exit 7"})
		c.expectAnswer(t, dialect.Request{Script: strings.Repeat("#", smallBody) + "\nexit 7"})
	}
	if made := s.made.Load(); made != 2 {
		t.Errorf("%d connections were made, want one for each size", made)
	}
	err := await.Wait{For: "no connection", Every: 10 * time.Millisecond, Limit: await.Broken}.
		Until(t.Context(), func() (any, bool, error) {
			open := s.open.Load()
			return open, open == 0, nil
		})
	if err != nil {
		t.Error(err)
	}
	c.expectAnswer(t, dialect.Request{Script: "exit 7"})
}

// A target that closes a connection that rests, or says something unasked on it, is asked on
// another one.
func TestAConnectionThatWasClosedIsNotKept(t *testing.T) {
	for name, after := range map[string]string{
		"closed":  "",
		"unasked": "HTTP/1.1 408 Late\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			listener, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			defer listener.Close()
			read, over := make(chan struct{}), make(chan struct{})
			go func() {
				for {
					conn, err := listener.Accept()
					if err != nil {
						return
					}
					if req, err := http.ReadRequest(bufio.NewReader(conn)); err == nil {
						_, _ = io.Copy(io.Discard, req.Body)
					}
					fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s",
						len(answered), answered)
					<-read
					_, _ = io.WriteString(conn, after)
					conn.Close()
					over <- struct{}{}
				}
			}()
			c := newClient(t, "http://"+listener.Addr().String(), &http.Transport{})
			for range 3 {
				c.expectAnswer(t, dialect.Request{Script: "exit 7"})
				read <- struct{}{}
				<-over
			}
		})
	}
}

// What is asked on a connection of its own is asked by TLS too where the URL says so.
func TestATargetBehindTLS(t *testing.T) {
	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		_, _ = io.WriteString(w, answered)
	}))
	defer s.Close()
	c := newClient(t, s.URL, s.Client().Transport.(*http.Transport).Clone())
	for _, r := range []dialect.Request{
		{}, {Alone: true}, {HalfClose: true}, {Way: dialect.Chunked}, {Way: dialect.Slowly},
	} {
		r.Script = "exit 7"
		c.expectAnswer(t, r)
	}
}
