package api

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/reapcheck/reapcheck/daemon/process"
)

// failing is a strategy that starts nothing.
type failing struct{ err error }

func (s failing) Start(*exec.Cmd) (process.Child, error) { return nil, s.err }
func (failing) Counts() process.Counts                   { return process.Counts{} }
func (failing) Close()                                   {}

// serve returns the URL of a server that uses strategy.
func serve(t *testing.T, strategy process.Strategy, options Options) string {
	t.Helper()
	if options.MaxBody == 0 {
		options.MaxBody = 1 << 20
	}
	executor := process.NewExecutor(strategy, process.Options{
		MaxOutput:       1000,
		HeldStdoutGrace: 100 * time.Millisecond,
	})
	gone, err := OpenGone()
	if err != nil {
		t.Fatal(err)
	}
	options.Gone = gone
	server := httptest.NewUnstartedServer(New(executor, options, slog.New(slog.DiscardHandler)))
	server.Config.ConnContext = gone.ConnContext
	server.Start()
	t.Cleanup(func() {
		server.Close()
		gone.Close()
		executor.Shutdown(context.Background())
	})
	return server.URL
}

func serveRegistry(t *testing.T, options Options) string {
	t.Helper()
	return serve(t, process.NewRegistry(slog.New(slog.DiscardHandler)), options)
}

type answer struct {
	status int
	raw    string

	ExitCode                         *int
	Result, ResultBase64             *string
	Truncated                        bool
	Code, Message                    string
	InFlight, ReapedManaged, Zombies *int
	Version, Strategy                string
}

// do sends a request and wants a JSON object, whatever the status.
func do(t *testing.T, req *http.Request) answer {
	t.Helper()
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	a := answer{status: res.StatusCode, raw: string(raw)}
	if err := json.Unmarshal(raw, &a); err != nil {
		t.Fatalf("status %d, body %q: %v", a.status, raw, err)
	}
	if !strings.HasPrefix(res.Header.Get("Content-Type"), "application/json") {
		t.Errorf("content type %q", res.Header.Get("Content-Type"))
	}
	return a
}

func request(t *testing.T, method, url string, body io.Reader) *http.Request {
	t.Helper()
	req, err := http.NewRequest(method, url, body)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	return req
}

func post(t *testing.T, url, body string) answer {
	t.Helper()
	return do(t, request(t, "POST", url+"/process/execute", strings.NewReader(body)))
}

func TestExecute(t *testing.T) {
	url := serveRegistry(t, Options{})
	cases := []struct {
		body     string
		exitCode int
		result   string
	}{
		{`{"command":"ls -d /","cwd":"/"}`, 0, "/\n"},
		{`{"command":"ls /nonexistent 2>/dev/null"}`, 2, ""},
		{`{"command":"nonexistent-command 2>/dev/null"}`, 127, ""},
		{`{"command":"/etc/passwd 2>/dev/null"}`, 126, ""},
		{`{"command":"exit 255"}`, 255, ""},
		{`{"command":"kill -9 $$"}`, 137, ""},
		{`{"command":"pwd","cwd":"/"}`, 0, "/\n"},
		{`{"command":"echo $A","envs":{"A":"<b>&"}}`, 0, "<b>&\n"},
		{`{"command":"echo a >&2; echo b"}`, 0, "a\nb\n"},
		{`{"command":"exit 1","timeout":60}`, 1, ""},
		{`{"command":"exit 1","timeout":0.9e1}`, 1, ""},
		{`{"command":"sleep 0.1; exit 2","timeout":0}`, 2, ""},
		{`{"command":"exit 3","timeout":null,"cwd":null,"envs":null}`, 3, ""},
		{`{"command":"exit 4","unknown":[1]}`, 4, ""},
		{"\n {\"command\":\"exit 5\"} \n", 5, ""},
		{`{"command":"printf 'a\\0b'"}`, 0, "a\x00b"},
		{`{"command":"echo \u00e9\ud83d\ude00"}`, 0, "é😀\n"},
		{`{"command":"cat; exit 6"}`, 6, ""},
		{`{"command":"cat; exit 6","stdin":null}`, 6, ""},
		{`{"command":"cat; exit 6","stdin":""}`, 6, ""},
		{`{"command":"cat; exit 6","stdin":"a\u0000\u00e9\n<b>"}`, 6, "a\x00é\n<b>"},
	}
	for _, c := range cases {
		a := post(t, url, c.body)
		if a.status != 200 || a.ExitCode == nil || *a.ExitCode != c.exitCode || a.Result == nil ||
			*a.Result != c.result {
			t.Errorf("%s: status %d, body %s, want %d %q", c.body, a.status, a.raw, c.exitCode,
				c.result)
		}
		if a.ResultBase64 != nil || a.Truncated || a.Code != "" {
			t.Errorf("%s: the answer has more than it should: %s", c.body, a.raw)
		}
	}
}

func TestInvalidUTF8SurvivesInBase64(t *testing.T) {
	a := post(t, serveRegistry(t, Options{}), `{"command":"printf 'a\\377\\376b'; exit 6"}`)
	want := "a\xff\xfeb"
	if a.status != 200 || *a.ExitCode != 6 || *a.Result != "a\ufffd\ufffdb" ||
		a.ResultBase64 == nil {
		t.Fatalf("status %d, body %s", a.status, a.raw)
	}
	if got, err := base64.StdEncoding.DecodeString(*a.ResultBase64); err != nil ||
		string(got) != want {
		t.Errorf("resultBase64 is %q, %v, want %q", got, err, want)
	}
}

func TestTruncationIsSaid(t *testing.T) {
	a := post(t, serveRegistry(t, Options{}),
		`{"command":"head -c 5000 /dev/zero | tr '\\0' x; exit 7"}`)
	if a.status != 200 || *a.ExitCode != 7 || !a.Truncated ||
		*a.Result != strings.Repeat("x", 1000) {
		t.Errorf("status %d, exit code %d, truncated %v, %d bytes", a.status, *a.ExitCode,
			a.Truncated, len(*a.Result))
	}
}

func TestBadInput(t *testing.T) {
	url := serveRegistry(t, Options{})
	cases := []struct {
		name, body string
		status     int
		code       string
	}{
		{"nothing", ``, 400, "INVALID_JSON"},
		{"not JSON", `command=ls`, 400, "INVALID_JSON"},
		{"cut JSON", `{"command":"ls"`, 400, "INVALID_JSON"},
		{"NaN", `{"command":"ls","timeout":NaN}`, 400, "INVALID_JSON"},
		{"invalid UTF-8", "{\"command\":\"echo \xff\"}", 400, "INVALID_JSON"},
		{"raw NUL byte", "{\"command\":\"ls\x00\"}", 400, "INVALID_JSON"},
		{"an array", `["ls"]`, 400, "INVALID_REQUEST"},
		{"a string", `"ls"`, 400, "INVALID_REQUEST"},
		{"null", `null`, 400, "INVALID_REQUEST"},
		{"no command", `{}`, 400, "INVALID_REQUEST"},
		{"empty command", `{"command":""}`, 400, "INVALID_REQUEST"},
		{"blank command", `{"command":" \n\t"}`, 400, "INVALID_REQUEST"},
		{"command is a number", `{"command":5}`, 400, "INVALID_REQUEST"},
		{"command is a list", `{"command":["ls"]}`, 400, "INVALID_REQUEST"},
		{"cwd is a number", `{"command":"ls","cwd":1}`, 400, "INVALID_REQUEST"},
		{"timeout is a string", `{"command":"ls","timeout":"5"}`, 400, "INVALID_REQUEST"},
		{"envs is a list", `{"command":"ls","envs":["A=b"]}`, 400, "INVALID_REQUEST"},
		{"env is a number", `{"command":"ls","envs":{"A":1}}`, 400, "INVALID_REQUEST"},
		{"negative timeout", `{"command":"ls","timeout":-1}`, 400, "INVALID_REQUEST"},
		{"slightly negative timeout", `{"command":"ls","timeout":-1e-9}`, 400, "INVALID_REQUEST"},
		{"huge timeout", `{"command":"ls","timeout":1e12}`, 400, "INVALID_REQUEST"},
		{"timeout beyond numbers", `{"command":"ls","timeout":1e999}`, 400, "INVALID_REQUEST"},
		{"NUL in command", `{"command":"ls\u0000-al"}`, 400, "INVALID_REQUEST"},
		{"NUL in cwd", `{"command":"ls","cwd":"/\u0000"}`, 400, "INVALID_REQUEST"},
		{"NUL in env name", `{"command":"ls","envs":{"A\u0000":"b"}}`, 400, "INVALID_REQUEST"},
		{"NUL in env value", `{"command":"ls","envs":{"A":"\u0000"}}`, 400, "INVALID_REQUEST"},
		{"= in env name", `{"command":"ls","envs":{"A=B":"c"}}`, 400, "INVALID_REQUEST"},
		{"empty env name", `{"command":"ls","envs":{"":"c"}}`, 400, "INVALID_REQUEST"},
		{"two objects", `{"command":"ls"}{"command":"ls"}`, 400, "INVALID_REQUEST"},
		{"trailing garbage", `{"command":"ls"} x`, 400, "INVALID_REQUEST"},
		{"missing cwd", `{"command":"ls","cwd":"/nonexistent"}`, 400, "INVALID_CWD"},
		{"cwd is a file", `{"command":"ls","cwd":"/etc/passwd"}`, 400, "INVALID_CWD"},
		{"cwd is too long", `{"command":"ls","cwd":"/` + strings.Repeat("x", 5000) + `"}`, 400,
			"INVALID_CWD"},
		{"longer than execve takes", `{"command":"true ` + strings.Repeat("x", 200_000) + `"}`, 400,
			"INVALID_REQUEST"},
		{"large body", `{"command":"` + strings.Repeat("x", 1<<20) + `"}`, 413, "BODY_TOO_LARGE"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			a := post(t, url, c.body)
			if a.status != c.status || a.Code != c.code || a.Message == "" {
				t.Errorf("status %d, body %s, want %d %s", a.status, a.raw, c.status, c.code)
			}
		})
	}
	if a := post(t, url, `{"command":"exit 8"}`); a.status != 200 || *a.ExitCode != 8 {
		t.Errorf("afterwards: status %d, body %s", a.status, a.raw)
	}
}

// endless is a body that counts what is read of it.
type endless struct{ read int }

func (e *endless) Read(p []byte) (int, error) {
	e.read += len(p)
	return copy(p, bytes.Repeat([]byte("x"), len(p))), nil
}

func TestHugeBodyIsNotReadWhole(t *testing.T) {
	const size, most = 100 << 20, 8 << 20
	executor := process.NewExecutor(failing{errors.New("must not be started")}, process.Options{})
	handler := New(executor, Options{MaxBody: 1 << 20}, slog.New(slog.DiscardHandler))
	for _, announced := range []int64{size, -1} {
		body := &endless{}
		req := httptest.NewRequest("POST", "/process/execute", io.LimitReader(body, size))
		req.ContentLength = announced
		recorder := httptest.NewRecorder()
		handler.ServeHTTP(recorder, req)
		if recorder.Code != 413 || body.read > most || announced > 0 && body.read > 0 {
			t.Errorf("content length %d: status %d after %d bytes", announced, recorder.Code,
				body.read)
		}
	}
}

func TestTimeout(t *testing.T) {
	begin := time.Now()
	a := post(t, serveRegistry(t, Options{}), `{"command":"echo partial; sleep 60","timeout":0.25}`)
	if a.status != 408 || a.Code != "TIMEOUT" || a.Result == nil || *a.Result != "partial\n" ||
		a.ExitCode != nil {
		t.Errorf("status %d, body %s", a.status, a.raw)
	}
	if took := time.Since(begin); took < 250*time.Millisecond || took > 30*time.Second {
		t.Errorf("answered after %v", took)
	}
}

func TestTinyTimeoutIsALimit(t *testing.T) {
	if a := post(t, serveRegistry(t, Options{}),
		`{"command":"sleep 60","timeout":1e-12}`); a.status != 408 {
		t.Errorf("status %d, body %s", a.status, a.raw)
	}
}

func TestStartErrors(t *testing.T) {
	for errno, want := range map[syscall.Errno]string{
		syscall.EAGAIN: "503 RESOURCES_EXHAUSTED",
		syscall.ENOMEM: "503 RESOURCES_EXHAUSTED",
		syscall.EMFILE: "503 RESOURCES_EXHAUSTED",
		syscall.ENFILE: "503 RESOURCES_EXHAUSTED",
		syscall.E2BIG:  "400 INVALID_REQUEST",
		syscall.ENOENT: "500 START_FAILED",
	} {
		url := serve(t, failing{fmt.Errorf("fork/exec /bin/sh: %w", errno)}, Options{})
		a := post(t, url, `{"command":"true"}`)
		if got := fmt.Sprint(a.status, " ", a.Code); got != want || a.Message == "" {
			t.Errorf("%v: %s, want %s", errno, got, want)
		}
	}
}

// ended is a child whose status cannot be had.
type ended struct{ err error }

func (c ended) Start(cmd *exec.Cmd) (process.Child, error) { return c, nil }
func (c ended) Counts() process.Counts                     { return process.Counts{} }
func (c ended) Close()                                     {}
func (c ended) PID() int                                   { return 1 }
func (c ended) Status() (syscall.WaitStatus, error)        { return 0, c.err }
func (c ended) Signal(syscall.Signal) error {
	return errors.New(
		"must not be killed")
}
func (c ended) Pin() (release func()) { return func() {} }
func (c ended) Forget()               {}
func (c ended) Exited() <-chan struct{} {
	exited := make(chan struct{})
	close(exited)
	return exited
}

// The command has run: a client must not be told that it did not start.
func TestWaitThatFailedIsNoFailedStart(t *testing.T) {
	a := post(t, serve(t, ended{syscall.ECHILD}, Options{}), `{"command":"true"}`)
	if a.status != 500 || a.Code != "EXIT_STATUS_LOST" {
		t.Errorf("answered %d %s, want 500 EXIT_STATUS_LOST", a.status, a.Code)
	}
}

func TestStatusThatNobodyKnows(t *testing.T) {
	a := post(t, serve(t, ended{process.ErrStatusUnknown}, Options{}), `{"command":"true"}`)
	if a.status != 200 || a.ExitCode == nil || *a.ExitCode != -1 {
		t.Errorf("unknown: status %d, body %s", a.status, a.raw)
	}
	a = post(t, serve(t, ended{process.ErrStatusLost}, Options{}), `{"command":"true"}`)
	if a.status != 500 || a.Code != "EXIT_STATUS_LOST" || a.ExitCode != nil {
		t.Errorf("lost: status %d, body %s", a.status, a.raw)
	}
}

func TestHangUp(t *testing.T) {
	for kill, seconds := range map[bool]float64{true: 60, false: 0.5} {
		t.Run(fmt.Sprintf("kill=%v", kill), func(t *testing.T) {
			witness := t.TempDir() + "/witness"
			url := serveRegistry(t, Options{KillOnDisconnect: kill})
			ctx, cancel := context.WithCancel(context.Background())
			req := request(t, "POST", url+"/process/execute",
				strings.NewReader(fmt.Sprintf(`{"command":"sleep %v; echo lived > %s"}`, seconds,
					witness)))
			time.AfterFunc(100*time.Millisecond, cancel)
			if _, err := http.DefaultClient.Do(req.WithContext(ctx)); !errors.Is(err,
				context.Canceled) {
				t.Fatalf("error %v, want context.Canceled", err)
			}
			awaitIdle(t, url)
			if lived := fileExists(witness); lived == kill {
				t.Errorf("the command lived to its end: %v", lived)
			}
		})
	}
}

func awaitIdle(t *testing.T, url string) {
	t.Helper()
	for deadline := time.Now().Add(50 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		a := do(t, request(t, "GET", url+"/debug/processes", nil))
		if *a.InFlight == 0 && *a.Zombies == 0 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("nothing in flight expected within 50s, last saw %s", a.raw)
		}
	}
}

func fileExists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
