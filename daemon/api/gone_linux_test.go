package api

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// ask sends a command over a connection of its own, which the test closes as it
// likes, and what comes behind it.
func ask(t *testing.T, url, version, command, behind string) *net.TCPConn {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	body := fmt.Sprintf(`{"command":%q}`, command)
	fmt.Fprintf(conn, "POST /process/execute HTTP/%s\r\nHost: d\r\nContent-Length: %d\r\n\r\n%s%s", version, len(body), body, behind)
	return conn.(*net.TCPConn)
}

func wantAnswer(t *testing.T, answers *bufio.Reader, code int) {
	t.Helper()
	res, err := http.ReadResponse(answers, nil)
	for err == nil && res.StatusCode == http.StatusContinue {
		res, err = http.ReadResponse(answers, nil)
	}
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(res.Body)
	if err != nil || !strings.Contains(string(text), fmt.Sprintf(`"exitCode":%d,`, code)) {
		t.Errorf("status %d, body %q, %v, want exit code %d", res.StatusCode, text, err, code)
	}
}

func awaitInFlight(t *testing.T, url string, want int) {
	t.Helper()
	for deadline := time.Now().Add(50 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		a := do(t, request(t, "GET", url+"/debug/processes", nil))
		if *a.InFlight == want {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d in flight expected within 50s, last saw %s", want, a.raw)
		}
	}
}

// A client that has said all it has to say may close its sending side and still
// wait for the answer (RFC 9112, 9.6).
func TestHalfClosedClientGetsItsAnswer(t *testing.T) {
	url := serveRegistry(t, Options{KillOnDisconnect: true})
	conn := ask(t, url, "1.1", "sleep 0.5; exit 7", "")
	conn.CloseWrite()
	wantAnswer(t, bufio.NewReader(conn), 7)
}

func TestGoneClientIsNoticed(t *testing.T) {
	for name, behind := range map[string]string{"nothing behind": "", "a byte behind": "G", "much behind": strings.Repeat("G", 20_000)} {
		for _, version := range []string{"1.0", "1.1"} {
			t.Run(version+" "+name, func(t *testing.T) {
				url := serveRegistry(t, Options{KillOnDisconnect: true})
				conn := ask(t, url, version, "sleep 300", behind)
				awaitInFlight(t, url, 1)
				conn.Close()
				awaitIdle(t, url)
			})
		}
	}
}

// One that closes its sending side first and everything later has gone then.
func TestHalfClosedClientThatGoesIsNoticed(t *testing.T) {
	url := serveRegistry(t, Options{KillOnDisconnect: true})
	conn := ask(t, url, "1.1", "sleep 300", "")
	awaitInFlight(t, url, 1)
	conn.CloseWrite()
	if line, err := bufio.NewReader(conn).ReadString('\n'); err != nil || !strings.Contains(line, "100") {
		t.Fatalf("got %q, %v, want to be asked whether anybody is there", line, err)
	}
	conn.Close()
	awaitIdle(t, url)
}

// What comes behind a request is the next one.
func TestPipelinedRequestsAreAnswered(t *testing.T) {
	url := serveRegistry(t, Options{KillOnDisconnect: true})
	body := `{"command":"exit 8"}`
	next := fmt.Sprintf("POST /process/execute HTTP/1.1\r\nHost: d\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
	conn := ask(t, url, "1.1", "sleep 0.3; exit 7", next)
	answers := bufio.NewReader(conn)
	wantAnswer(t, answers, 7)
	wantAnswer(t, answers, 8)
	fmt.Fprint(conn, next) // and the connection is as good as new
	wantAnswer(t, answers, 8)
}

func TestGoneIsClosedOnce(t *testing.T) {
	gone, err := OpenGone()
	if err != nil {
		t.Fatal(err)
	}
	gone.Close()
	if _, err := gone.add(&net.TCPConn{}, true, func() {}); err == nil {
		t.Error("a closed Gone watches a connection")
	}
}
