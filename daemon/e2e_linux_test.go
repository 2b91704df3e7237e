package main

import (
	"bytes"
	"debug/elf"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// The binaries are built once for all tests: with fault points and without.
var (
	buildDir   string
	buildPlain = sync.OnceValues(func() (string, error) {
		return buildDaemon("plain", "nomsgpack")
	})
	buildArmed = sync.OnceValues(func() (string, error) {
		return buildDaemon("faultpoints", "nomsgpack,faultpoints")
	})
)

func TestMain(m *testing.M) {
	os.Exit(func() int {
		var err error
		if buildDir, err = os.MkdirTemp("", "daemon-test-"); err != nil {
			panic(err)
		}
		defer os.RemoveAll(buildDir)
		return m.Run()
	}())
}

func buildDaemon(name, tags string) (string, error) {
	path := filepath.Join(buildDir, name)
	cmd := exec.Command("go", "build", "-trimpath", "-tags", tags, "-o", path, ".")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build -tags %s: %w: %s", tags, err, out)
	}
	return path, nil
}

// daemon is a running one.
type daemon struct {
	t    *testing.T
	cmd  *exec.Cmd
	url  string
	log  bytes.Buffer
	done chan struct{}
}

// start runs the binary that build makes and waits until it listens.
func start(t *testing.T, build func() (string, error), args ...string) *daemon {
	t.Helper()
	path, err := build()
	if err != nil {
		t.Fatal(err)
	}
	return startLoggingTo(t, path, nil, args...)
}

// startLoggingTo gives the daemon a standard error of its own, unless it is nil.
func startLoggingTo(t *testing.T, path string, stderr *os.File, args ...string) *daemon {
	t.Helper()
	portFile := filepath.Join(t.TempDir(), "port")
	d := &daemon{t: t, done: make(chan struct{})}
	d.cmd = exec.Command(path, append([]string{"--listen=127.0.0.1:0", "--port-file=" + portFile},
		args...)...)
	d.cmd.Stderr = &d.log
	if stderr != nil {
		d.cmd.Stderr = stderr
	}
	if err := d.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { d.cmd.Wait(); close(d.done) }()
	t.Cleanup(d.stop)
	d.url = "http://127.0.0.1:" + d.awaitPort(portFile)
	return d
}

func (d *daemon) awaitPort(path string) string {
	d.t.Helper()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(
		5 * time.Millisecond) {
		select {
		case <-d.done:
			d.t.Fatalf("the daemon ended at start: %s", &d.log)
		default:
		}
		if port, err := os.ReadFile(path); err == nil {
			return strings.TrimSpace(string(port))
		}
	}
	d.t.Fatalf("the port expected within %v, last saw no file", patience)
	return ""
}

func (d *daemon) stop() {
	d.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-d.done:
	case <-time.After(patience):
		d.cmd.Process.Kill()
		<-d.done
		d.t.Errorf("the daemon's end expected within %v of SIGTERM, last saw it run", patience)
	}
	if d.t.Failed() {
		d.t.Logf("daemon log:\n%s", &d.log)
	}
}

// call sends a request and decodes the answer.
func (d *daemon) call(method, path string, body any, answer any) (status int, err error) {
	raw, err := json.Marshal(body)
	if err != nil {
		return 0, err
	}
	req, err := http.NewRequest(method, d.url+path, bytes.NewReader(raw))
	if err != nil {
		return 0, err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err
	}
	defer res.Body.Close()
	if raw, err = io.ReadAll(res.Body); err == nil {
		err = json.Unmarshal(raw, answer)
	}
	return res.StatusCode, err
}

type executed struct {
	ExitCode     int
	Result, Code string
}

func (d *daemon) execute(command string) (executed, int) {
	d.t.Helper()
	var e executed
	status, err := d.call("POST", "/process/execute", map[string]any{"command": command}, &e)
	if err != nil {
		d.t.Errorf("execute %q: %v", command, err)
	}
	return e, status
}

type pointState struct{ Arrivals, Stopped, Waiting, LimitHit int }

func (d *daemon) arm(point string, setting map[string]any) {
	d.t.Helper()
	var state pointState
	if status, err := d.call("PUT", "/debug/faultpoints/"+point, setting, &state); err != nil ||
		status != 200 {
		d.t.Fatalf("arm %s: status %d, error %v", point, status, err)
	}
}

// TestFaultPoints is the race, one place after the other. For each strategy it
// says what comes of a command that exits with 7; and that the fault was hit.
func TestFaultPoints(t *testing.T) {
	untilReaped := map[string]any{"pauseUntilReaped": true}
	sleep := func(ms int) map[string]any { return map[string]any{"sleepMs": ms} }
	cases := []struct {
		name, strategy, point string
		setting               map[string]any
		args                  []string
		want                  int
	}{
		{"reaper wins", "reaper-only", "before-wait", untilReaped, nil, -1},
		{"reaper wins", "documented", "before-wait", untilReaped, nil, 7},
		{"reaper wins", "registry", "before-wait", untilReaped, nil, 7},
		{"waiter wins", "reaper-only", "before-reap", sleep(1500), nil, 7},
		{"waiter wins", "registry", "before-reap", sleep(100), nil, 7},
		{"late publish within the wait", "documented", "before-publish", sleep(100),
			[]string{"--execute-echild-wait-ms=5000"}, 7},
		{"late publish past the wait", "documented", "before-publish", sleep(1500),
			[]string{"--execute-echild-wait-ms=50"}, -1},
		{"late publish without a wait", "documented", "before-publish", sleep(1500),
			[]string{"--execute-echild-wait-ms=0"}, -1},
		{"late publish", "registry", "before-publish", sleep(400), nil, 7},
		{"late register", "documented", "before-register", untilReaped, nil, -1},
		{"late register", "registry", "before-register", sleep(200), nil, 7},
		{"late look-up", "documented", "before-lookup", sleep(50), nil, 7},
		{"late unregister", "registry", "before-unregister", sleep(50), nil, 7},
	}
	for _, c := range cases {
		t.Run(c.strategy+"/"+c.name, func(t *testing.T) {
			d := start(t, buildArmed, append(c.args, "--strategy="+c.strategy)...)
			// The reaper must win where the fault is beyond its win.
			if strings.HasPrefix(c.name, "late publish") || c.point == "before-lookup" {
				if c.strategy == "documented" {
					d.arm("before-wait", untilReaped)
				}
			}
			d.arm(c.point, c.setting)
			// A command that is over at once may be reaped before documented has
			// registered it, where no fault has a part in it.
			e, status := d.execute("sleep 0.1; exit 7")
			if status != 200 || e.ExitCode != c.want {
				t.Errorf("status %d, exit code %d, want 200 and %d", status, e.ExitCode, c.want)
			}
			// The answer may come before the reaper has heard of the child.
			var state pointState
			for deadline := time.Now().Add(patience); state.Stopped == 0 &&
				time.Now().Before(deadline); {
				if _, err := d.call("GET", "/debug/faultpoints/"+c.point, nil, &state); err != nil {
					t.Fatal(err)
				}
			}
			if state.Stopped == 0 || state.LimitHit > 0 {
				t.Errorf("the fault was not hit as it should be within %v: %+v", patience, state)
			}
		})
	}
}

func TestOrdinaryBuildHasNoFaultPoints(t *testing.T) {
	traces := func(build func() (string, error)) (symbols int, names bool) {
		path, err := build()
		if err != nil {
			t.Fatal(err)
		}
		file, err := elf.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		table, err := file.Symbols()
		if err != nil {
			t.Fatal(err)
		}
		for _, symbol := range table {
			if strings.Contains(strings.ToLower(symbol.Name), "faultpoint") {
				symbols++
			}
		}
		raw, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return symbols, bytes.Contains(raw, []byte("before-publish")) ||
			bytes.Contains(raw, []byte("debug/faultpoints"))
	}
	if symbols, names := traces(buildPlain); symbols > 0 || names {
		t.Errorf("the ordinary build has %d symbols of the fault points, and their names: %v",
			symbols, names)
	}
	if symbols, names := traces(buildArmed); symbols == 0 || !names {
		t.Error("the build with fault points has no trace of them: this test sees nothing")
	}
	d := start(t, buildPlain)
	var problem executed
	if status, err := d.call("GET", "/debug/faultpoints", nil, &problem); status != 404 ||
		err != nil || problem.Code != "NOT_FOUND" {
		t.Errorf("/debug/faultpoints of the ordinary build: status %d, %+v, %v", status, problem,
			err)
	}
}

func TestSIGTERM(t *testing.T) {
	d := start(t, buildPlain, "--shutdown-limit=6s", "--subreaper")
	type answer struct {
		executed
		status int
	}
	run := func(command string) <-chan answer {
		answers := make(chan answer, 1)
		go func() { e, status := d.execute(command); answers <- answer{e, status} }()
		return answers
	}
	short, long := run("sleep 0.3; echo done; exit 3"), run("echo begun; sleep 60")
	var counts struct{ Registered int }
	for deadline := time.Now().Add(patience); counts.Registered < 2; {
		if _, err := d.call("GET", "/debug/processes", nil, &counts); err != nil ||
			time.Now().After(deadline) {
			t.Fatalf("2 registered expected within %v, last saw %+v, %v", patience, counts, err)
		}
	}
	for _, ignored := range []syscall.Signal{syscall.SIGHUP, syscall.SIGQUIT, syscall.SIGABRT,
		syscall.SIGSEGV} {
		d.cmd.Process.Signal(ignored) // what a command sends ends nothing
	}
	d.cmd.Process.Signal(syscall.SIGTERM)
	if a := <-short; a.status != 200 || a.ExitCode != 3 || a.Result != "done\n" {
		t.Errorf("the short command gave %+v", a)
	}
	if a := <-long; a.status != 503 || a.Code != "SHUTTING_DOWN" || a.Result != "begun\n" {
		t.Errorf("the long command gave %+v", a)
	}
	<-d.done
	if code := d.cmd.ProcessState.ExitCode(); code != 0 {
		t.Errorf("exit status %d, want 0", code)
	}
	if _, err := http.Get(d.url + "/healthz"); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("after the end: %v, want ECONNREFUSED", err)
	}
}

// A command must not see the token, nor a disposition of SIGPIPE that the
// daemon chose for itself.
func TestCommandsSeeACleanEnvironment(t *testing.T) {
	t.Setenv("DECK_TOKEN", "secret")
	d := start(t, buildPlain)
	if _, status := d.execute("true"); status != 401 {
		t.Errorf("without the token: status %d, want 401", status)
	}
	http.DefaultClient.Transport = bearer("secret")
	defer func() { http.DefaultClient.Transport = nil }()
	e, status := d.execute("env | grep -c secret; yes | head -1; grep SigIgn /proc/self/status")
	// What was ignored before the daemon came is none of its doing.
	inherited, err := exec.Command("grep", "SigIgn", "/proc/self/status").Output()
	if err != nil {
		t.Fatal(err)
	}
	if want := "0\ny\n" + string(inherited); status != 200 || e.Result != want {
		t.Errorf("status %d, result %q, want %q", status, e.Result, want)
	}
}

type bearer string

func (b bearer) RoundTrip(req *http.Request) (*http.Response, error) {
	req.Header.Set("Authorization", "Bearer "+string(b))
	return http.DefaultTransport.RoundTrip(req)
}

func TestLogTellsManagedFromUnmanaged(t *testing.T) {
	d := start(t, buildPlain, "--subreaper")
	d.execute("(sh -c 'sleep 0.1; exit 9' >/dev/null 2>&1 &); exit 5")
	var counts struct{ ReapedUnmanaged int }
	for deadline := time.Now().Add(patience); counts.ReapedUnmanaged < 1; time.Sleep(
		5 * time.Millisecond) {
		if _, err := d.call("GET", "/debug/processes", nil, &counts); err != nil ||
			time.Now().After(deadline) {
			t.Fatalf("1 unmanaged expected within %v, last saw %+v, %v", patience, counts, err)
		}
	}
	d.stop()
	log := d.log.String()
	for _, want := range []string{`msg="reaped managed process" pid=`, "status=5",
		`msg="reaped zombie process" pid=`, "status=9"} {
		if !strings.Contains(log, want) {
			t.Errorf("the log has no %s:\n%s", want, log)
		}
	}
}

func TestTakenPortExits1(t *testing.T) {
	d := start(t, buildPlain)
	var out, errOut bytes.Buffer
	addr := strings.TrimPrefix(d.url, "http://")
	if code := run([]string{"--listen=" + addr}, &out, &errOut); code != exitFailure ||
		!strings.Contains(errOut.String(), "address already in use") {
		t.Errorf("exit status %d, stderr %q", code, &errOut)
	}
}

func TestDaemonOutlivesItsLogReader(t *testing.T) {
	path, err := buildPlain()
	if err != nil {
		t.Fatal(err)
	}
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	d := startLoggingTo(t, path, writer)
	writer.Close()
	reader.Close()
	for range 3 {
		if e, status := d.execute("exit 4"); status != 200 || e.ExitCode != 4 {
			t.Errorf("status %d, exit code %d", status, e.ExitCode)
		}
	}
}
