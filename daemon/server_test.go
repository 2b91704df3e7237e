package main

import (
	"bufio"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/reapcheck/reapcheck/daemon/api"
	"github.com/reapcheck/reapcheck/daemon/process"
)

// serveWithin serves with another limit on requests and returns the address.
func serveWithin(t *testing.T, limit time.Duration) string {
	t.Helper()
	c, err := parse(nil)
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.DiscardHandler)
	executor := process.NewExecutor(process.NewRegistry(log), process.Options{MaxOutput: c.maxOutput, HeldStdoutGrace: c.heldStdoutGrace})
	gone, err := api.OpenGone()
	if err != nil {
		t.Fatal(err)
	}
	server := newServer(c, executor, gone, log)
	if server.ReadTimeout != requestLimit {
		t.Errorf("the server waits %v for a request, want %v", server.ReadTimeout, requestLimit)
	}
	server.ReadTimeout = limit
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	t.Cleanup(func() {
		server.Close()
		<-served
		gone.Close()
		executor.Shutdown(t.Context())
	})
	return listener.Addr().String()
}

// A client that stops in the middle of its request must not hold a connection
// for ever, whoever refuses it.
func TestStalledRequestIsEnded(t *testing.T) {
	address := serveWithin(t, time.Second)
	tests := map[string]string{
		"body is short":     "POST /process/execute HTTP/1.1\r\nHost: d\r\nContent-Length: 100\r\n\r\n{\"com",
		"body is too large": "POST /process/execute HTTP/1.1\r\nHost: d\r\nTransfer-Encoding: chunked\r\n\r\n200000\r\n" + strings.Repeat("x", 1<<20+1),
		"nobody reads it":   "POST /nothing HTTP/1.1\r\nHost: d\r\nContent-Length: 100\r\n\r\nx",
		"foreign site":      "POST /process/execute HTTP/1.1\r\nHost: d\r\nSec-Fetch-Site: cross-site\r\nContent-Length: 100\r\n\r\nx",
	}
	for name, request := range tests {
		t.Run(name, func(t *testing.T) {
			conn, err := net.Dial("tcp", address)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			go io.WriteString(conn, request)
			conn.SetReadDeadline(time.Now().Add(patience))
			if _, err := io.Copy(io.Discard, conn); err != nil && strings.Contains(err.Error(), "timeout") {
				t.Errorf("the connection is still open after %v", patience)
			}
		})
	}
}

// The limit is on the request; its command may take longer.
func TestLongCommandOutlivesTheLimitOnRequests(t *testing.T) {
	address := serveWithin(t, time.Second)
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	answers := bufio.NewReader(conn)
	for range 2 { // on one connection
		body := `{"command":"sleep 2; exit 7"}`
		fmt.Fprintf(conn, "POST /process/execute HTTP/1.1\r\nHost: d\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
		answer, err := http.ReadResponse(answers, nil)
		if err != nil {
			t.Fatal(err)
		}
		if text, err := io.ReadAll(answer.Body); err != nil || !strings.Contains(string(text), `"exitCode":7`) {
			t.Errorf("answered %s %q, %v, want exit code 7", answer.Status, text, err)
		}
	}
}
