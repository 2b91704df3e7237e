package speaker

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"testing"
	"time"

	api "github.com/reapcheck/reapcheck/driver"
	"github.com/reapcheck/reapcheck/harness/dialect"
	"github.com/reapcheck/reapcheck/harness/driver"
	"github.com/reapcheck/reapcheck/harness/sandbox"
	"github.com/reapcheck/reapcheck/harness/target"
)

// The test binary is a driver where this variable is set.
const asDriver = "REAPCHECK_TEST_DRIVER"

func TestMain(m *testing.M) {
	if os.Getenv(asDriver) != "" {
		api.Main(api.Driver{Name: "bench", Can: []string{api.CanOutput}, Execute: post})
		return
	}
	os.Exit(m.Run())
}

// post asks as the built-in client does.
func post(ctx context.Context, at api.Target, r api.Request) api.Answer {
	body, _ := json.Marshal(map[string]string{"command": r.Script})
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, at.URL+"/process/execute",
		bytes.NewReader(body))
	if err != nil {
		return api.Say(api.Error, err.Error())
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return api.Say(api.Error, err.Error())
	}
	defer resp.Body.Close()
	var answer struct {
		ExitCode int
		Result   string
	}
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		return api.Say(api.Error, err.Error())
	}
	return api.Exit(answer.ExitCode, []byte(answer.Result))
}

// at is a target that runs already.
type at struct {
	sandbox.Sandbox
	url string
}

func (a at) URL() string         { return a.url }
func (at) PID() int              { return 0 }
func (at) Done() <-chan struct{} { return nil }

// both opens a driver and the client for a target that executes nothing.
func both(t testing.TB) (byDriver, byClient Speaker) {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		_, _ = io.WriteString(w, `{"exitCode":7,"result":"x"}`)
	}))
	t.Cleanup(server.Close)
	t.Setenv(asDriver, "1")
	for _, line := range [][]string{{os.Args[0]}, nil} {
		tested := target.Target{URL: server.URL, Driver: line, Dialect: dialect.ProcessExecute()}
		s, err := Open(t.Context(), tested, at{url: server.URL}, 1)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { s.Close() })
		byDriver, byClient = byClient, s
	}
	return byDriver, byClient
}

func TestBothAnswerTheSame(t *testing.T) {
	byDriver, byClient := both(t)
	for name, s := range map[string]Speaker{"driver": byDriver, "client": byClient} {
		got := s.Execute(t.Context(), dialect.Request{Script: "x"})
		if !got.Known || got.Code != 7 || got.Output != "x" || s.Problem() != nil {
			t.Errorf("%s: %+v, problem %v", name, got, s.Problem())
		}
	}
	if _, is := byDriver.(*driver.Process); !is {
		t.Errorf("the driver is a %T", byDriver)
	}
}

// What a driver costs beside the built-in client, command by command in turn.
func BenchmarkDriverBesideClient(b *testing.B) {
	byDriver, byClient := both(b)
	var took [2]time.Duration
	for b.Loop() {
		for i, s := range []Speaker{byDriver, byClient} {
			began := time.Now()
			if got := s.Execute(b.Context(), dialect.Request{Script: "x"}); !got.Known {
				b.Fatalf("%+v", got)
			}
			took[i] += time.Since(began)
		}
	}
	b.ReportMetric(float64(took[0].Microseconds())/float64(b.N), "driver-µs")
	b.ReportMetric(float64(took[1].Microseconds())/float64(b.N), "client-µs")
	b.ReportMetric(float64(took[0])/float64(took[1]), "x-client")
}
