package bench

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/reapcheck/reapcheck/harness/await"
	"github.com/reapcheck/reapcheck/harness/load"
	"github.com/reapcheck/reapcheck/harness/probe"
	"github.com/reapcheck/reapcheck/harness/sandbox"
	"github.com/reapcheck/reapcheck/harness/speaker"
	"github.com/reapcheck/reapcheck/harness/target"
)

// hosted is a daemon that runs on this machine, where a tool without a way into a
// sandbox reaches it too.
type hosted struct {
	sandbox.Sandbox
	url string
	cmd *exec.Cmd
}

func (hosted) Name() string          { return "hosted" }
func (h hosted) URL() string         { return h.url }
func (h hosted) PID() int            { return h.cmd.Process.Pid }
func (hosted) Done() <-chan struct{} { return nil }

func host(b *testing.B) hosted {
	b.Helper()
	program, err := target.Find(b.Context(), target.Ordinary, "")
	if err != nil {
		b.Fatal(err)
	}
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	address := free.Addr().String()
	free.Close()
	h := hosted{url: "http://" + address, cmd: exec.Command(program, "--listen="+address)}
	if err := h.cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _, _ = h.cmd.Process.Kill(), h.cmd.Wait() })
	err = await.Wait{For: "the daemon", Limit: await.Broken}.Until(b.Context(),
		func() (any, bool, error) {
			resp, err := http.Get(h.url + "/healthz")
			if err != nil {
				return err.Error(), false, nil
			}
			resp.Body.Close()
			return resp.Status, resp.StatusCode == http.StatusOK, nil
		})
	if err != nil {
		b.Fatal(err)
	}
	return h
}

// wrkTurn is a second of wrk, https://github.com/wg/wrk, which judges no answer.
func wrkTurn(b *testing.B, script, url string, inFlight int) (perSecond float64) {
	b.Helper()
	out, err := exec.CommandContext(b.Context(), "wrk", "-t1", "-d1s",
		"-c"+strconv.Itoa(inFlight), "-s", script, url).CombinedOutput()
	if err != nil {
		b.Fatalf("%v: %s", err, out)
	}
	found := regexp.MustCompile(`Requests/sec: +([0-9.]+)`).FindSubmatch(out)
	if found == nil || regexp.MustCompile(`Non-2xx`).Match(out) {
		b.Fatalf("%s", out)
	}
	perSecond, err = strconv.ParseFloat(string(found[1]), 64)
	if err != nil {
		b.Fatal(err)
	}
	return perSecond
}

// How many executions this client gets out of the same daemon beside an HTTP tool in C, by
// turns of a second: every answer is judged here, and none there.
func BenchmarkClientBesideWrk(b *testing.B) {
	if _, err := exec.LookPath("wrk"); err != nil {
		b.Skip("needs wrk on the PATH")
	}
	const inFlight = 8
	h := host(b)
	client, err := speaker.Open(b.Context(), target.Reference(registry), h, inFlight)
	if err != nil {
		b.Fatal(err)
	}
	defer client.Close()
	asked := target.Reference(registry)
	ours := &daemonRacer{commands: load.Instant,
		daemon: &daemon{Sandbox: h, client: client, dialect: asked.Dialect, seed: 1, ours: true}}
	process, err := probe.LookAt(h.PID())
	if err != nil {
		b.Fatal(err)
	}
	ours.own = probe.Snapshot{process}
	body, err := json.Marshal(map[string]string{
		"command": load.Instant(0, load.Random(1, "wrk", 0)).Script,
	})
	if err != nil {
		b.Fatal(err)
	}
	script := filepath.Join(b.TempDir(), "execute.lua")
	text := fmt.Sprintf("wrk.method, wrk.body = 'POST', %q\n"+
		"wrk.headers['Content-Type'] = 'application/json'\n", body)
	if err := os.WriteFile(script, []byte(text), 0o600); err != nil {
		b.Fatal(err)
	}
	var ratios []float64
	for b.Loop() {
		theirs := wrkTurn(b, script, h.url+"/process/execute", inFlight)
		t, err := ours.turn(b.Context(), inFlight, time.Second)
		if err != nil || t.outcomes.Bad() > 0 {
			b.Fatalf("%v, %s", err, t.why)
		}
		b.Logf("wrk %.0f a second, this client %.0f at %.0f µs of CPU time each",
			theirs, t.perSecond(), t.cost.each(t.outcomes.Total()).Client)
		ratios = append(ratios, t.perSecond()/theirs)
	}
	slices.Sort(ratios)
	b.ReportMetric(ratios[len(ratios)/2], "x-wrk")
}
