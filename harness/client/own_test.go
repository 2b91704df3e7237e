package client

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/reapcheck/reapcheck/harness/dialect"
)

// The client has said all, and something behind it; what comes back, after an interim
// answer, is taken.
func TestAClientThatHasNothingMoreToSay(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	behind := make(chan string, 1)
	go func() {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		from := bufio.NewReader(conn)
		req, err := http.ReadRequest(from)
		if err != nil {
			return
		}
		io.Copy(io.Discard, req.Body)
		rest, _ := io.ReadAll(from) // ends when the client has closed its side
		behind <- string(rest)
		const answer = `{"exitCode":7,"result":"x"}`
		fmt.Fprintf(conn,
			"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s",
			len(answer), answer)
	}()
	c := New("http://"+listener.Addr().String(), dialect.ProcessExecute(), 1,
		http.DefaultTransport.(*http.Transport).Clone())
	defer c.Close()
	answer := c.Execute(t.Context(),
		dialect.Request{Script: "exit 7", HalfClose: true, Behind: "more"})
	if !answer.Known || answer.Code != 7 || answer.Output != "x" {
		t.Errorf("%+v", answer)
	}
	if got := <-behind; got != "more" {
		t.Errorf("%q came behind the request, want more", got)
	}
}

func TestAClientThatGoesWithMoreBehind(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	behind := make(chan string, 1)
	go func() { behind <- readBehind(listener) }()
	c := New("http://"+listener.Addr().String(), dialect.ProcessExecute(), 1,
		http.DefaultTransport.(*http.Transport).Clone())
	defer c.Close()
	answer := c.Execute(t.Context(),
		dialect.Request{Script: "sleep 1000", Behind: "G", HangUpAfter: 50 * time.Millisecond})
	if !answer.HungUp {
		t.Errorf("%+v", answer)
	}
	if got := <-behind; got != "GG" {
		t.Errorf("%q came behind the request, want one G at once and one as the client goes", got)
	}
}

// readBehind takes one request and returns what follows it until the client has gone.
func readBehind(listener net.Listener) string {
	conn, err := listener.Accept()
	if err != nil {
		return err.Error()
	}
	defer conn.Close()
	from := bufio.NewReader(conn)
	req, err := http.ReadRequest(from)
	if err != nil {
		return err.Error()
	}
	io.Copy(io.Discard, req.Body)
	rest, _ := io.ReadAll(from)
	return string(rest)
}
