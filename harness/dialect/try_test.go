package dialect_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"strings"
	"testing"

	"github.com/reapcheck/reapcheck/harness/client"
	"github.com/reapcheck/reapcheck/harness/dialect"
)

// shell is a sound target without a timeout of its own.
func shell(w http.ResponseWriter, r *http.Request) {
	var in struct{ Script string }
	_ = json.NewDecoder(r.Body).Decode(&in)
	cmd := exec.Command("/bin/sh", "-c", in.Script)
	out, _ := cmd.CombinedOutput()
	code := cmd.ProcessState.ExitCode()
	if code < 0 {
		code = 137
	}
	_ = json.NewEncoder(w).Encode(map[string]any{"exit": code, "out": string(out)})
}

func fixed(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}
}

func TestTry(t *testing.T) {
	d, err := dialect.Parse("d.yaml", []byte(`
port: 80
request: {path: /run, body: {script: <command>}}
response: {exitCode: /exit, output: /out}
words: {unknown: [{exitCode: -1}]}
`))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name       string
		target     http.HandlerFunc
		fits       bool
		ok         int
		understood string // of the second question
	}{
		{"a target that fits", shell, true, 8, "exit code 7"},
		{"one that loses", fixed(200, `{"exit":-1,"out":""}`), true, 1, "exit code unknown"},
		{"one that always says 0", fixed(200, `{"exit":0,"out":"reap check\n"}`), true, 2,
			"exit code 0"},
		{"another path", fixed(404, `not found`), false, 1, "not understood: HTTP 404"},
		{"another field", fixed(200, `{"code":0}`), false, 1,
			"not understood: HTTP 200 without an exit code"},
	} {
		t.Run(c.name, func(t *testing.T) {
			server := httptest.NewServer(c.target)
			defer server.Close()
			all := dialect.Try(t.Context(), d, client.New(server.URL, d, 1, &http.Transport{}))
			ok := 0
			for _, e := range all {
				if e.OK {
					ok++
				}
			}
			if dialect.Fits(all) != c.fits || ok != c.ok ||
				!strings.HasPrefix(all[2].Understood, c.understood) {
				t.Errorf("fits %v, %d ok, %+v", dialect.Fits(all), ok, all)
			}
		})
	}
}

// A timeout tells itself by its HTTP status, and a signal by a field of its own; the exit codes
// of a target whose field has another name are none, and it must not be called broken for that.
func TestATimeoutAndASignalAreNoDialectThatFits(t *testing.T) {
	d, err := dialect.Parse("d.yaml", []byte(`
port: 80
request: {path: /run, body: {script: <command>, limit: <timeout>}}
response: {exitCode: /exit, output: /result, signal: /signal}
words: {timeout: [{status: 408}]}
`))
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if body, _ := io.ReadAll(r.Body); strings.Contains(string(body), "sleep 5") {
			w.WriteHeader(http.StatusRequestTimeout)
			_, _ = w.Write([]byte(`{}`))
			return
		} else if strings.Contains(string(body), "kill -9") {
			_, _ = w.Write([]byte(`{"signal":"SIGKILL","result":"reap check\n"}`))
			return
		}
		_, _ = w.Write([]byte(`{"exitCode":0,"result":"reap check\n"}`))
	}))
	defer server.Close()
	all := dialect.Try(t.Context(), d, client.New(server.URL, d, 1, &http.Transport{}))
	told := 0
	for _, e := range all {
		if e.OK && (e.Coded || e.Asked == "timeout") {
			told++
		}
	}
	if told != 2 || dialect.Fits(all) {
		t.Errorf("the dialect is taken to fit: %v, %d told of 2: %+v", dialect.Fits(all), told, all)
	}
}

func TestReadyIsNotAskedElsewhere(t *testing.T) {
	other := httptest.NewServer(fixed(200, ""))
	defer other.Close()
	server := httptest.NewServer(http.RedirectHandler(other.URL, http.StatusTemporaryRedirect))
	defer server.Close()
	d := dialect.ProcessExecute()
	if e := dialect.Try(t.Context(), d, client.New(server.URL, d, 1, &http.Transport{}))[0]; e.OK ||
		!strings.Contains(e.Understood, "307") {
		t.Errorf("%+v", e)
	}
}
