package bench

import (
	"context"
	"io"
	"math"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/reapcheck/reapcheck/harness/dialect"
	"github.com/reapcheck/reapcheck/harness/load"
	"github.com/reapcheck/reapcheck/harness/sandbox"
	"github.com/reapcheck/reapcheck/harness/speaker"
)

func TestRequestsComeAtTheirRate(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	const rate, length = 500, 20 * time.Second
	all := due(rate, length, r)
	// The count of a Poisson process has the deviation of its root.
	if want := rate * length.Seconds(); math.Abs(float64(len(all))-want) > 4*math.Sqrt(want) {
		t.Errorf("%d came, want about %.0f", len(all), want)
	}
	for i := 1; i < len(all); i++ {
		if all[i] < all[i-1] || all[i] >= length {
			t.Fatalf("request %d comes at %v, after %v", i, all[i], all[i-1])
		}
	}
}

// inProcess is a target that is no process.
type inProcess struct{ sandbox.Sandbox }

func (inProcess) Name() string          { return "in-process" }
func (inProcess) Done() <-chan struct{} { return nil }

// A daemon that stands still for a while is seen to by all who come meanwhile. A client
// that counts from when it sends, to one connection after the other, sees one of them.
func TestAStallIsSeenByAllWhoCome(t *testing.T) {
	const stall = 400 * time.Millisecond
	var once sync.Once
	var still sync.RWMutex
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		_, _ = io.Copy(io.Discard, req.Body)
		once.Do(func() {
			still.Lock()
			time.AfterFunc(stall, still.Unlock)
		})
		still.RLock()
		defer still.RUnlock()
		_, _ = io.WriteString(w, `{"exitCode":0,"result":""}`)
	}))
	defer server.Close()
	d := &daemon{
		Sandbox: inProcess{}, dialect: dialect.ProcessExecute(), seed: 1,
		client: speaker.OverHTTP(server.URL, dialect.ProcessExecute(), 64, &http.Transport{}),
	}
	defer d.client.Close()
	racer := &daemonRacer{daemon: d, commands: load.Instant}
	const rate = 200
	a, err := racer.arrive(t.Context(), rate, time.Second, rand.New(rand.NewPCG(2, 2)))
	if err != nil {
		t.Fatal(err)
	}
	// Of a second's requests two in five came during the stall.
	late := time.Duration(a.P99) * time.Microsecond
	if late < stall/2 || a.Waiting < rate/5 {
		t.Errorf("p99 %v with %d waiting, want a stall of %v to show: %+v", late, a.Waiting, stall,
			a)
	}
	if racer.next == 0 || a.Outcomes.Total() != racer.next {
		t.Errorf("%d answers of %d", a.Outcomes.Total(), racer.next)
	}
}

func TestOfferedRates(t *testing.T) {
	if rate, ok := (Scale{}).offered(0, 1000); !ok || rate != 250 {
		t.Errorf("%v, %v", rate, ok)
	}
	chosen := Scale{Arrivals: []int{10, 20}}
	if rate, ok := chosen.offered(1, 1000); !ok || rate != 20 {
		t.Errorf("%v, %v", rate, ok)
	}
	if _, ok := chosen.offered(2, 1000); ok {
		t.Error("a third rate of two")
	}
}

func TestNobodyComesAfterAnInterrupt(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if sleepUntil(ctx, time.Now().Add(time.Hour)) || sleepUntil(ctx, time.Now()) {
		t.Error("the wait for a request went on after an interrupt")
	}
}
