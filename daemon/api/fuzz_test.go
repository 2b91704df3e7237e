package api

import (
	"encoding/json"
	"log/slog"
	"net/http/httptest"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/reapcheck/reapcheck/daemon/process"
)

func seed(f *testing.F) {
	for _, body := range []string{
		`{"command":"ls -al","cwd":"/"}`,
		`{"command":"ls","timeout":0.5,"envs":{"A":"b"}}`,
		`{"command":"ls","timeout":-1}`,
		`{"command":"cat","stdin":"a\u0000"}`,
		`{"command":"ls\u0000","cwd":5}`,
		`{"command":"\ud800"} {`,
		`[null]`,
		"\xff",
	} {
		f.Add([]byte(body))
	}
}

// FuzzParse: what is accepted can be given to execve as it is.
func FuzzParse(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, body []byte) {
		req, problem := parse(body)
		if problem != nil {
			if problem.status < 400 || problem.status > 499 || problem.Code == "" ||
				problem.Message == "" {
				t.Errorf("rejected as %+v", problem)
			}
			return
		}
		for name, value := range req.Envs {
			if name == "" || strings.ContainsAny(name, "=\x00") || strings.Contains(value, "\x00") {
				t.Errorf("accepted the environment %q=%q", name, value)
			}
		}
		if strings.TrimSpace(req.Command) == "" || strings.Contains(req.Command+req.Cwd, "\x00") {
			t.Errorf("accepted the command %q in %q", req.Command, req.Cwd)
		}
		if !(req.Timeout >= 0 && req.Timeout <= maxTimeout.Seconds()) {
			t.Errorf("accepted the timeout %v", req.Timeout)
		}
	})
}

// FuzzExecute: whatever is sent, the answer is a JSON object with a code.
func FuzzExecute(f *testing.F) {
	seed(f)
	executor := process.NewExecutor(ended{process.ErrStatusLost}, process.Options{})
	handler := New(executor, Options{MaxBody: 1 << 10}, slog.New(slog.DiscardHandler))
	f.Fuzz(func(t *testing.T, body []byte) {
		recorder := httptest.NewRecorder()
		handler.ServeHTTP(recorder, httptest.NewRequest("POST", "/process/execute",
			strings.NewReader(string(body))))
		var problem Problem
		if err := json.Unmarshal(recorder.Body.Bytes(), &problem); err != nil ||
			problem.Code == "" || !utf8.ValidString(problem.Message) {
			t.Errorf("status %d, body %q: %v", recorder.Code, recorder.Body, err)
		}
		if code := recorder.Code; code != 400 && code != 413 && problem.Code != "EXIT_STATUS_LOST" {
			t.Errorf("status %d, body %s", code, recorder.Body)
		}
	})
}
