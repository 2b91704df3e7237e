package dialect_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/reapcheck/reapcheck/harness/client"
	"github.com/reapcheck/reapcheck/harness/dialect"
)

func opens(base string) func(dialect.Dialect) dialect.Speaker {
	return func(d dialect.Dialect) dialect.Speaker { return client.New(base, d, 1, &http.Transport{}) }
}

// Whoever never answers costs a few deadlines, and not one for each dialect.
func TestDetectGivesUpWhereNobodyAnswers(t *testing.T) {
	release := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		<-release
	}))
	defer server.Close()
	defer close(release)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := dialect.AnswersHTTP(ctx, opens(server.URL)); err == nil {
		t.Error("nobody answered, and that is no error")
	}
	if testing.Short() {
		t.Skip("it waits for a deadline of 10 s")
	}
	all, err := dialect.Detect(t.Context(), opens(server.URL))
	if err != nil || len(dialect.Fitted(all)) > 0 {
		t.Fatal(all, err)
	}
	waited := 0
	for _, g := range all {
		if !strings.Contains(g.Why, "not asked") {
			waited++
		}
	}
	if waited > 8 {
		t.Errorf("%d dialects waited for an answer", waited)
	}
}

// Nothing but one command is run to find the dialect, where one alone fits.
func TestDetectRunsOneHarmlessCommand(t *testing.T) {
	asked := make(chan string, 1000)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/v1/exec" {
			http.NotFound(w, r)
			return
		}
		body := new(strings.Builder)
		_, _ = io.Copy(body, r.Body)
		asked <- body.String()
		_, _ = w.Write([]byte(`{"data": {"code": 7, "stdout": "reap check\n"}}`))
	}))
	defer server.Close()
	all, err := dialect.Detect(t.Context(), opens(server.URL))
	best, ok := dialect.Best(all)
	if err != nil || !ok || best.Dialect != "code" || best.Asked > 0 {
		t.Fatalf("%+v, %v", best, err)
	}
	close(asked)
	for body := range asked {
		if !strings.Contains(body, "exit 7") {
			t.Errorf("asked %s", body)
		}
	}
}
