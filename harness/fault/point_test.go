package fault

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/reapcheck/reapcheck/harness/sandbox"
)

// pointServer is a target with one fault point that has seen some arrivals
// before it is injected.
type pointServer struct {
	sandbox.Sandbox
	url     string
	state   string // as the daemon writes it
	setting pointSetting
	deleted bool
}

func (p *pointServer) URL() string { return p.url }

func newPointServer(t *testing.T) *pointServer {
	t.Helper()
	p := &pointServer{
		state: `{"name":"before-wait","sleepMs":0,"arrivals":5,"stopped":2,"limitHit":1}`}
	mux := http.NewServeMux()
	mux.HandleFunc("/debug/faultpoints/before-wait", func(w http.ResponseWriter, r *http.Request) {
		switch r.Method {
		case http.MethodPut:
			_ = json.NewDecoder(r.Body).Decode(&p.setting)
		case http.MethodDelete:
			p.deleted = true
		}
		_, _ = io.WriteString(w, p.state)
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	p.url = server.URL
	return p
}

func TestPointCountsFromItsArming(t *testing.T) {
	server := newPointServer(t)
	injected, err := Point{
		Place: "before-wait",
		Sleep: 1500 * time.Millisecond,
	}.Inject(t.Context(), server)
	if err != nil || server.setting.SleepMs != 1500 {
		t.Fatalf("set %+v, error %v", server.setting, err)
	}
	if hits, note, err := injected.Hits(t.Context()); hits != 0 || note != "" || err != nil {
		t.Errorf("before any arrival: %d hits, note %q, error %v", hits, note, err)
	}
	server.state = `{"name":"before-wait","sleepMs":1500,"arrivals":20,"stopped":9,"limitHit":3}`
	hits, note, err := injected.Hits(t.Context())
	if hits != 7 || !strings.Contains(note, "let 2 arrivals go") || err != nil {
		t.Errorf("%d hits, note %q, error %v", hits, note, err)
	}
	if err := injected.Undo(t.Context()); err != nil || !server.deleted {
		t.Errorf("deleted %v, error %v", server.deleted, err)
	}
}

// A target that answers nothing more is not excused by the fault that it keeps.
func TestAPointIsNotStuckInADeafTarget(t *testing.T) {
	server := newPointServer(t)
	injected, err := Point{
		Place: "before-wait",
		Sleep: time.Millisecond,
	}.Inject(t.Context(), server)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := injected.Hits(ctx); err == nil {
		t.Error("the hits were counted")
	}
	if err := injected.Undo(ctx); err != nil {
		t.Errorf("undone: %v", err)
	}
}

func TestPointDeclinesWithoutItsBuild(t *testing.T) {
	spec := sandbox.Spec{Binary: "daemon"}
	point := Point{Sleep: time.Millisecond}
	if err := point.Prepare(&spec); !errors.Is(err, ErrDeclined) {
		t.Errorf("got %v", err)
	}
	spec.FaultPointsBinary = "daemon-faultpoints"
	if err := point.Prepare(&spec); err != nil || spec.Binary != "daemon-faultpoints" {
		t.Errorf("binary %q, error %v", spec.Binary, err)
	}
}

func TestAPointThatHoldsNobodyIsRefused(t *testing.T) {
	spec := sandbox.Spec{FaultPointsBinary: "daemon-faultpoints"}
	for _, p := range []Point{{}, {Sleep: time.Millisecond - 1}} {
		if err := p.Prepare(&spec); err == nil || errors.Is(err, ErrDeclined) ||
			!strings.Contains(err.Error(), "is too short") {
			t.Errorf("%s: %v", p.Name(), err)
		}
	}
	if err := (Point{UntilReaped: true}).Prepare(&spec); err != nil {
		t.Error(err)
	}
}

func TestAnUnknownPointCannotBeArmed(t *testing.T) {
	if _, err := (Point{Place: "nowhere"}).Inject(t.Context(), newPointServer(t)); err == nil {
		t.Error("injected")
	}
}

// stub is a fault with a fixed count.
type stub struct {
	hits      int64
	note      string
	err       error
	injectErr error
	undone    *int
}

func (stub) Name() string                                                 { return "stub" }
func (stub) Prepare(*sandbox.Spec) error                                  { return nil }
func (s stub) Inject(context.Context, sandbox.Sandbox) (Injection, error) { return s, s.injectErr }
func (s stub) Hits(context.Context) (int64, string, error) {
	return s.hits, s.note,
		s.err
}
func (s stub) Undo(
	context.Context) error {
	*s.undone++
	return nil
}

func TestTogetherHitsAsOftenAsTheLeast(t *testing.T) {
	var undone int
	all := All{stub{
		hits:   9,
		undone: &undone,
	}, stub{hits: 4, undone: &undone}, stub{hits: 6, undone: &undone}}
	injected, err := all.Inject(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if hits, _, err := injected.Hits(t.Context()); hits != 4 || err != nil {
		t.Errorf("%d hits, error %v", hits, err)
	}
	if err := injected.Undo(t.Context()); err != nil || undone != 3 {
		t.Errorf("%d undone, error %v", undone, err)
	}
	if all.Name() != "stub + stub + stub" {
		t.Error(all.Name())
	}
	// What one cannot count does not hide why the others' counts are worth nothing.
	odd := All{stub{hits: 9, err: ErrDeclined, note: "held"}, stub{hits: 4, note: "late"}}
	if injected, err = odd.Inject(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	if _, note, err := injected.Hits(t.Context()); note != "held; late" ||
		!errors.Is(err, ErrDeclined) {
		t.Errorf("note %q, error %v", note, err)
	}
}

func TestTogetherArmsAllOrNone(t *testing.T) {
	var undone int
	all := All{stub{undone: &undone}, stub{injectErr: errors.New("no"), undone: &undone}}
	if _, err := all.Inject(t.Context(), nil); err == nil || undone != 1 {
		t.Errorf("%d undone, error %v", undone, err)
	}
}
