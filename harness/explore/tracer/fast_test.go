package tracer

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// looking is in the environment of a target that looks at its clocks.
const looking = "REAPCHECK_TEST_LOOKS"

const someLooks = 5000

func TestMain(m *testing.M) {
	if os.Getenv(looking) != "" {
		os.Exit(look())
	}
	os.Exit(m.Run())
}

// look waits for a byte, and then sees how long it takes to look at the clock again and again:
// of clocks that stand still a nanosecond each time, and Go reads two. The kernel, when it is
// asked, is to say the same.
func look() int {
	if _, err := os.Stdin.Read(make([]byte, 1)); err != nil {
		return 1
	}
	began := time.Now()
	for range someLooks {
		_ = time.Now()
	}
	if took := time.Since(began); took < 2*someLooks || took > 3*someLooks {
		fmt.Println("it took", took)
		return 2
	}
	var asked unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_REALTIME, &asked); err != nil {
		return 3
	}
	if apart := time.Since(time.Unix(asked.Unix())); apart.Abs() > time.Millisecond {
		fmt.Println("the kernel says another time:", apart)
		return 4
	}
	return 0
}

// Half of what a daemon in Go asks of the kernel is the time.
func TestATargetLooksAtItsClockWithoutACall(t *testing.T) {
	if runtime.GOARCH != "amd64" {
		t.Skip("there is no code for this architecture: each look is a call")
	}
	for name, script := range map[string]string{
		"one program":       `read -r line; exec "$0"`,
		"one after another": `read -r line; exec env bash -c 'exec "$0"' "$0"`,
	} {
		t.Run(name, func(t *testing.T) { looksAtItsClock(t, script) })
	}
}

func looksAtItsClock(t *testing.T, script string) {
	target := exec.Command("sh", "-c", script, os.Args[0])
	target.Env = append(os.Environ(), looking+"=1")
	target.Stdout, target.Stderr = os.Stderr, os.Stderr
	say, err := target.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	tr, err := Start()
	if err != nil {
		t.Fatal(err)
	}
	defer tr.Close()
	if err := target.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = target.Wait() }()
	defer say.Close()
	const kill = true
	must(t, tr.Seize(target.Process.Pid, kill))
	_, err = fmt.Fprintln(say)
	must(t, err)
	must(t, tr.Begin(Watch{}))
	rest := func() Rest {
		rest, err := tr.Rest(10*time.Second, Clients{})
		must(t, err)
		return rest
	}
	if r := rest(); r.Ended != "" || r.Restless != "" {
		t.Fatalf("before it was told to look: %+v", r)
	}
	_, err = fmt.Fprintln(say)
	must(t, err)
	r := rest()
	for i := 0; r.Ended == "" && len(r.Timers) > 0 && i < 10; i++ {
		must(t, tr.Advance(r.Timers[0])) // a build with the race detector sleeps at its end
		r = rest()
	}
	if r.Ended != "exit status 0" || r.Stops > someLooks {
		t.Errorf("%+v", r)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
