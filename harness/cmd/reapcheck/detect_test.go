package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/reapcheck/reapcheck/harness/dialect"
	"github.com/reapcheck/reapcheck/harness/trial"
)

func TestDetectFindsTheDialectOfEachForm(t *testing.T) {
	for name, manner := range map[string]string{
		"code": "sound", "words": "races", "start-500": "sound", "sse": "zero", "openhands": "sound",
		"opensandbox": "sound", "e2b": "sound", "open-terminal": "sound", "pebble": "sound",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			base := "http://" + foreignOnThisMachine(t, "--dialect="+name, "--manner="+manner)
			all, err := atURL(t.Context(), base, nil)
			if err != nil || all[0].Best != name {
				t.Fatalf("%v, %s", err, detectedText(all))
			}
			if err := detectedStatus(all); err != nil {
				t.Errorf("%v: %s", err, detectedText(all))
			}
		})
	}
}

// Two dialects understand the reference daemon, and only one of them all that it says.
func TestDetectTellsDialectsApart(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var in struct {
			Command string  `json:"command"`
			Timeout *uint32 `json:"timeout"` // Daytona's
		}
		switch err := json.NewDecoder(r.Body).Decode(&in); {
		case r.URL.Path == "/version":
		case r.URL.Path != "/process/execute":
			http.NotFound(w, r)
		case err != nil:
			http.Error(w, err.Error(), http.StatusBadRequest)
		default:
			out, _ := exec.Command("/bin/sh", "-c", in.Command).Output()
			fmt.Fprintf(w, `{"code": 7, "result": %q}`, out)
		}
	}))
	defer server.Close()
	all, err := atURL(t.Context(), server.URL, nil)
	if err != nil || all[0].Best != "daytona" {
		t.Errorf("%v, %s", err, detectedText(all))
	}
}

func TestDetectWhereNoDaemonIs(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			_, _ = io.WriteString(conn, "SSH-2.0-OpenSSH_9.6\r\n")
			conn.Close()
		}
	}()
	all, err := atURL(t.Context(), "http://"+address, nil)
	if err != nil || !strings.Contains(detectedText(all), "does not answer over HTTP") ||
		exitStatus("", detectedStatus(all)) != exitInfrastructure {
		t.Errorf("%v, %s", err, detectedText(all))
	}
	listener.Close()
	if _, err := atURL(t.Context(), "http://"+address, nil); err == nil ||
		!strings.Contains(err.Error(), "nothing answers at") {
		t.Errorf("where nobody listens: %v", err)
	}
}

// A web server is no daemon, however glad its answers are.
func TestDetectWhereAnotherServerIs(t *testing.T) {
	for name, body := range map[string]string{
		"a page": "<html>hello</html>", "JSON": `{"status": "ok"}`, "nothing": "",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter,
				_ *http.Request) {
				_, _ = io.WriteString(w, body)
			}))
			defer server.Close()
			all, err := atURL(t.Context(), server.URL, nil)
			if err != nil || all[0].Best != "" ||
				exitStatus("", detectedStatus(all)) != exitInconclusive {
				t.Errorf("%v, %s", err, detectedText(all))
			}
		})
	}
}

// asked keeps all that a server was sent.
type asked struct {
	mu  sync.Mutex
	all strings.Builder
}

func (a *asked) note(r *http.Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	fmt.Fprintln(&a.all, r.URL, r.Header)
}

// A target that is not known does not learn the tokens of others, and one that asks for
// a token is told from one that has no such path.
func TestDetectKeepsTokens(t *testing.T) {
	const secret = "s3cret"
	for _, g := range builtInVariables(t) {
		t.Setenv(g, secret)
	}
	var seen asked
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen.note(r)
		switch {
		case r.URL.Path != "/execute":
			http.NotFound(w, r)
		case r.Header.Get("X-API-Key") != secret:
			w.WriteHeader(http.StatusUnauthorized)
		default:
			_, _ = io.WriteString(w, `{"exit_code": 7, "stdout": "reap check\n", "stderr": ""}`)
		}
	}))
	defer server.Close()
	all, err := atURL(t.Context(), server.URL, nil)
	if strings.Contains(seen.all.String(), secret) {
		t.Errorf("a token was sent: %s", seen.all.String())
	}
	if text := detectedText(all); err != nil || exitStatus("", detectedStatus(all)) != exitFail ||
		!strings.Contains(text, "closed  swe-rex") || !strings.Contains(text, "SWEREX_TOKEN") {
		t.Errorf("%v, %s", err, text)
	}
	all, err = atURL(t.Context(), server.URL, map[string]string{"X-API-Key": secret})
	if err != nil || all[0].Best != "swe-rex" {
		t.Errorf("%v, %s", err, detectedText(all))
	}
}

func builtInVariables(t *testing.T) (all []string) {
	t.Helper()
	for _, name := range dialect.BuiltIn() {
		d, err := dialect.Load(name)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, d.Variables()...)
	}
	return all
}

func TestDetectAtADoorThatAsksWhoeverComes(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusForbidden)
	}))
	defer server.Close()
	all, err := atURL(t.Context(), server.URL, nil)
	if err != nil || exitStatus("", detectedStatus(all)) != exitFail ||
		!strings.Contains(detectedText(all), "every path asks for a token first") {
		t.Errorf("%v, %s", err, detectedText(all))
	}
}

// detect runs the command on a program in a sandbox.
func detect(t *testing.T, runtime string, args ...string) (outcome, []detected) {
	t.Helper()
	argv := append([]string{"dialect", "detect", "--json", "--runtime=" + runtime,
		"--binary=" + built(t, "foreign"), "--"}, args...)
	cmd := exec.CommandContext(t.Context(), built(t, "reapcheck"), argv...)
	said, _ := cmd.Output()
	var all []detected
	if err := json.Unmarshal(said, &all); err != nil {
		t.Fatalf("%v: %s", err, said)
	}
	return outcome{status: cmd.ProcessState.ExitCode(), said: string(said)}, all
}

// It is asked wherever it listens, and where that is not where the dialect says, this is
// what is to be filled in.
func TestDetectInASandbox(t *testing.T) {
	needNamespaces(t)
	socket := filepath.Join(t.TempDir(), "s")
	for _, c := range []struct {
		dialect, listen, fillIn string
		status                  int
	}{
		{"code", "0.0.0.0:8080", "", exitPass},
		{"e2b", "0.0.0.0:7001", "port: 7001", exitFail},
		{"pebble", "unix:" + socket, "socket: " + socket, exitFail},
	} {
		t.Run(c.dialect, func(t *testing.T) {
			t.Parallel()
			o, all := detect(t, "namespace", "--dialect="+c.dialect, "--listen="+c.listen)
			if best := bestOf(all); o.status != c.status || best == nil || best.Dialect != c.dialect ||
				strings.Join(best.FillIn, ", ") != c.fillIn {
				t.Errorf("status %d: %s", o.status, o.said)
			}
		})
	}
}

func TestDetectInAContainer(t *testing.T) {
	newEngineFront(t) // skips without an engine
	if o, all := detect(t, "docker", "--dialect=sse"); o.status != exitPass || bestOf(all) == nil {
		t.Errorf("status %d: %s", o.status, o.said)
	}
}

// gate names the dialect that it was not given, and takes none on trust.
func TestTheGateNamesTheDialectThatFits(t *testing.T) {
	url := "--url=http://" + foreignOnThisMachine(t, "--dialect=code")
	o := gate(t, url, "--only=storm")
	o.expect(t, exitInfrastructure, trial.Inconclusive)
	o.expectSaid(t, "the dialect code fits: give --dialect code")
	if o := gate(t, url, "--only=storm", "--dialect=sse"); strings.Contains(o.said, "code fits") {
		t.Errorf("a dialect was given: %s", o.said)
	}
}
