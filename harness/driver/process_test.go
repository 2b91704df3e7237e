package driver

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/reapcheck/reapcheck/driver"
	"github.com/reapcheck/reapcheck/harness/await"
	"github.com/reapcheck/reapcheck/harness/dialect"
	"github.com/reapcheck/reapcheck/harness/trial"
)

const (
	testLimit = 20 * time.Second
	greeting  = `{"type":"hello","protocol":1,"name":"test","can":["output","abandon"]}`
)

// start starts the test binary as a driver with a manner. A shell is a driver too, and
// starts sooner: its manner is a script, with a function that reads a line.
func start(t *testing.T, manner string) (*Process, error) {
	t.Helper()
	line := []string{os.Args[0]}
	if script, ok := strings.CutPrefix(manner, "sh:"); ok {
		line = []string{"/bin/sh", "-c", "next() { read -r line; }; next; " + script}
	}
	t.Setenv(mannerOf, manner)
	ctx, cancel := context.WithTimeout(t.Context(), testLimit)
	defer cancel()
	p, err := Start(ctx, line, Place{}, manyInFlight)
	if err == nil {
		t.Cleanup(func() { p.Close() })
	}
	return p, err
}

// manyInFlight leaves each command the least output.
const manyInFlight = 1000

// says is a shell's command that prints a text.
func says(text string) string { return "cat <<'END'\n" + text + "\nEND\n" }

// answers is the manner of a driver that says something about command 1.
func answers(does string) string { return "sh:" + says(greeting) + "next; " + does + "cat >/dev/null" }

func started(t *testing.T, manner string) *Process {
	t.Helper()
	p, err := start(t, manner)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func execute(t *testing.T, p *Process, r dialect.Request, limit time.Duration) trial.Answer {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	return p.Execute(ctx, r)
}

// shorten makes the limits on drivers short, for those that pass them.
func shorten(t *testing.T, limit *time.Duration, to time.Duration) {
	before := *limit
	*limit = to
	t.Cleanup(func() { *limit = before })
}

// What a driver says at the start, and what kind of error that is.
func TestADriverThatDoesNotStart(t *testing.T) {
	for manner, want := range map[string]string{
		"sh:":                        "it ended (exit status 0)",
		"sh:" + says("good morning"): "no message",
		"sh:" + says(`{"type":"hello","protocol":9,"name":"x"}`):                        "protocol 9",
		"sh:" + says(`{"type":"hello","protocol":1}`):                                   "no name",
		"sh:" + says(`{"type":"hello","protocol":1,"name":"x","can":["fly"]}`):          `"fly"`,
		"sh:" + says(`{"type":"hello","protocol":1,"name":"x","colour":"red"}`):         "colour",
		"sh:" + says(`{"type":"pong","id":1}`):                                          "say hello first",
		"sh:" + says(`{"type":"failed","message":"no library"}`):                        "no library",
		"sh:" + says(`{"type":"hello","protocol":1,"name":"x"} {"type":"pong","id":1}`): "more than one value",
		"sh:echo out of luck >&2; exit 1":                                               "wrote on standard error: out of luck",
	} {
		_, err := start(t, manner)
		if !errors.Is(err, ErrDriver) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", manner, err, want)
		}
	}
	if _, err := Start(t.Context(), []string{"/nonexistent/driver"}, Place{}, 1); !errors.Is(err, ErrDriver) {
		t.Errorf("no program: %v", err)
	}
}

func TestADriverThatNeverSaysHello(t *testing.T) {
	shorten(t, &startLimit, 100*time.Millisecond)
	shorten(t, &closeLimit, 100*time.Millisecond)
	_, err := start(t, "sleeps")
	if !errors.Is(err, ErrDriver) || !strings.Contains(err.Error(), "hello expected within") {
		t.Error(err)
	}
}

// What comes back for a command, by what the driver says of command 1.
func TestWhatADriverAnswers(t *testing.T) {
	for said, want := range map[string]trial.Answer{
		`{"type":"answer","id":1,"exitCode":7,"output":"x"}`:                      {Known: true, Code: 7, Output: "x"},
		`{"type":"answer","id":1,"exitCode":0,"outputBase64":"/w=="}`:             {Known: true, Output: "\xff"},
		`{"type":"answer","id":1,"signal":9}`:                                     {Known: true, Code: 137},
		`{"type":"answer","id":1,"word":"timeout"}`:                               {TimedOut: true, Failed: true},
		`{"type":"answer","id":1,"word":"startError"}`:                            {NotStarted: true, Failed: true},
		`{"type":"answer","id":1,"word":"unknown","output":"y"}`:                  {Unknown: true, Failed: true, Output: "y"},
		`{"type":"answer","id":1,"word":"refused"}`:                               {Refused: true, Failed: true},
		`{"type":"answer","id":1,"word":"error"}`:                                 {Failed: true},
		`{"type":"sent","id":1}` + "\n" + `{"type":"answer","id":1,"exitCode":3}`: {Known: true, Code: 3},
	} {
		p := started(t, answers(says(said)))
		got := execute(t, p, dialect.Request{Script: "true"}, testLimit)
		got.Message = ""
		if got != want || p.Problem() != nil {
			t.Errorf("%s: got %+v, want %+v; problem %v", said, got, want, p.Problem())
		}
	}
}

// Each of these is the driver's doing, and no verdict about a target.
func TestADriverThatMisbehaves(t *testing.T) {
	answer := `{"type":"answer","id":1,"exitCode":0}`
	for said, want := range map[string]string{
		"sh:exit 3; ":                            "it ended (exit status 3)",
		"sh:kill -9 $$; ":                        "it ended (signal: killed)",
		"rubbish":                                "no message",
		`sh:printf '{"type":"answer"'; exit; `:   "its last line has no end",
		`{"type":"answer","id":77,"exitCode":0}`: "answer 77, for which nothing waits",
		`{"type":"pong","id":1}`:                 "pong 1, for which nothing waits",
		`{"type":"sent","id":5}`:                 "command 5 was sent",
		`{"type":"sent","id":1}` + "\n" + `{"type":"sent","id":1}`:   "twice",
		`{"type":"answer","id":1,"exit_code":0}`:                     "exit_code",
		`{"type":"answer","id":1,"output":"x"}`:                      "0 of exitCode, signal and word",
		`{"type":"answer","id":1,"exitCode":0,"word":"timeout"}`:     "2 of exitCode, signal and word",
		`{"type":"answer","id":1,"word":"perhaps"}`:                  `"perhaps"`,
		`{"type":"answer","id":1,"exitCode":0,"outputBase64":"***"}`: "outputBase64",
		`{"type":"answer","id":1,"exitCode":"0"}`:                    "no message",
		`{"type":"conclusion"}`:                                      `"conclusion"`,
		`{"type":"failed","message":"lost my way"}`:                  "lost my way",
		"sh:printf '{'; head -c 7000000 /dev/zero | tr '\\0' x; ":    "a line of more than",
	} {
		does := says(said)
		if script, ok := strings.CutPrefix(said, "sh:"); ok {
			does = script
		}
		p := started(t, answers(does))
		got := execute(t, p, dialect.Request{Script: "true"}, testLimit)
		if got.Known || got.Hung || got.Message == "" {
			t.Errorf("%s: got %+v", said, got)
		}
		err := p.Problem()
		if !errors.Is(err, ErrDriver) || !strings.Contains(fmt.Sprint(err), want) {
			t.Errorf("%s: problem %v, want %q", said, err, want)
		}
		again := execute(t, p, dialect.Request{Script: "true"}, testLimit)
		if again.Known || again.Message != err.Error() {
			t.Errorf("%s: answered afterwards: %+v", said, again)
		}
	}
	// An answer that is given twice: the second may come when the first has been taken.
	p := started(t, answers(says(answer+"\n"+answer)))
	execute(t, p, dialect.Request{}, testLimit)
	awaitProblem(t, p, "answer 1, for which nothing waits")
}

func awaitProblem(t *testing.T, p *Process, want string) {
	t.Helper()
	err := await.Wait{For: "problem: " + want, Every: time.Millisecond, Limit: testLimit}.Until(t.Context(),
		func() (any, bool, error) { return p.Problem(), strings.Contains(fmt.Sprint(p.Problem()), want), nil })
	if err != nil {
		t.Error(err)
	}
}

// A target that hangs is told from a driver that does.
func TestWhoHangs(t *testing.T) {
	shorten(t, &pingLimit, 300*time.Millisecond)
	p := started(t, "works")
	if got := execute(t, p, dialect.Request{Script: "wait"}, 50*time.Millisecond); !got.Hung || p.Problem() != nil {
		t.Errorf("the target hangs: %+v, problem %v", got, p.Problem())
	}
	if got := execute(t, p, dialect.Request{Script: "7"}, testLimit); got.Code != 7 {
		t.Errorf("after it: %+v, problem %v", got, p.Problem())
	}
	for _, manner := range []string{"mute", "deaf"} {
		p := started(t, manner)
		r := dialect.Request{Script: strings.Repeat("x", 1<<20)} // more than a pipe has room for
		if got := execute(t, p, r, 50*time.Millisecond); got.Hung || !strings.Contains(got.Message, "it hangs") {
			t.Errorf("%s: %+v", manner, got)
		}
		if err := p.Problem(); !errors.Is(err, ErrDriver) {
			t.Errorf("%s: problem %v", manner, err)
		}
	}
}

// The client that goes is known to the driver before anything else is looked at, and an
// answer that comes all the same is not held against it.
func TestAbandonedCommands(t *testing.T) {
	p := started(t, "works")
	for range 20 {
		got := execute(t, p, dialect.Request{Script: "wait", HangUpAfter: time.Millisecond}, testLimit)
		if !got.HungUp {
			t.Fatalf("got %+v, problem %v", got, p.Problem())
		}
	}
	if got := execute(t, p, dialect.Request{Script: "5", HangUpAfter: testLimit}, testLimit); got.Code != 5 {
		t.Errorf("one that was quick enough: %+v", got)
	}
	late := started(t, "late")
	if got := execute(t, late, dialect.Request{HangUpAfter: time.Millisecond}, testLimit); !got.HungUp {
		t.Errorf("got %+v", got)
	}
	execute(t, late, dialect.Request{}, testLimit)
	awaitProblem(t, late, "answer 1, for which nothing waits") // the second one is too many
}

// A hang-up counts from the moment at which the target was asked.
func TestAHangUpBeginsWithWhatWasSent(t *testing.T) {
	p := started(t, "sent")
	began := time.Now()
	// On a busy machine the driver may say so late, and it must before that.
	const after = 2 * time.Second
	got := execute(t, p, dialect.Request{HangUpAfter: after}, testLimit)
	if took := time.Since(began); !got.HungUp || took < after+100*time.Millisecond {
		t.Errorf("%+v after %v; the driver asks its target after 100 ms", got, took)
	}
}

func TestManyInFlight(t *testing.T) {
	p := started(t, "works")
	const many = 64
	codes := make(chan int, many)
	for i := range many {
		go func() { codes <- execute(t, p, dialect.Request{Script: strconv.Itoa(i)}, testLimit).Code }()
	}
	sum := 0
	for range many {
		sum += <-codes
	}
	if want := many * (many - 1) / 2; sum != want || p.Problem() != nil {
		t.Errorf("codes add up to %d, want %d; problem %v", sum, want, p.Problem())
	}
}

func TestKill(t *testing.T) {
	p := started(t, "works")
	ctx, cancel := context.WithTimeout(t.Context(), testLimit)
	defer cancel()
	got, _ := p.ask(ctx, driver.Request{Script: "wait"}, errand{killAfter: time.Millisecond, signal: 9})
	if !got.Known || got.Code != 137 {
		t.Errorf("%+v", got)
	}
}

// Nothing of a driver is left, be it that it ignores the end of its input or that its
// children do.
func TestCloseLeavesNothing(t *testing.T) {
	shorten(t, &closeLimit, 100*time.Millisecond)
	file := filepath.Join(t.TempDir(), "pids")
	t.Setenv("PIDS", file)
	p := started(t, "stays")
	var pids []string
	err := await.Wait{For: "2 PIDs of the driver", Every: time.Millisecond, Limit: testLimit}.Until(
		t.Context(), func() (any, bool, error) {
			text, err := os.ReadFile(file)
			if pids = strings.Fields(string(text)); errors.Is(err, fs.ErrNotExist) {
				err = nil
			}
			return pids, len(pids) == 2, err
		})
	if err = errors.Join(err, p.Close()); err != nil {
		t.Fatal(err)
	}
	for _, pid := range pids {
		n, _ := strconv.Atoi(pid)
		err := await.Wait{For: "end of " + pid, Every: time.Millisecond, Limit: testLimit}.Until(t.Context(),
			func() (any, bool, error) { return "it runs", over(n), nil })
		if err != nil {
			t.Error(err)
		}
	}
}

// over says whether a process has ended; one that nobody has reaped yet has.
func over(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err != nil || strings.Contains(string(stat), ") Z ")
}

func TestAnInterruptEndsTheWait(t *testing.T) {
	p := started(t, "works")
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(10*time.Millisecond, cancel)
	if got := p.Execute(ctx, dialect.Request{Script: "wait"}); got.Known || got.Hung || p.Problem() != nil {
		t.Errorf("%+v, problem %v", got, p.Problem())
	}
}

// A signal that there is not is what the daemon said: the driver hands it on.
func TestASignalThatThereIsNotIsTheDaemonsMistake(t *testing.T) {
	var m said
	m.Type, m.ID, m.Signal = driver.TypeAnswer, 1, 127
	if err := checkAnswer(m.FromDriver); err != nil {
		t.Error(err)
	}
	if a, _ := translate(m); a.Known || a.Message != "ended by signal 127, which there is not" {
		t.Errorf("%+v", a)
	}
}

// Without a word for it a target is ready when it can be reached, also at a socket.
func TestATargetAtASocketIsReadyWhenItListens(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	var p Process
	p.place.Socket = path
	if _, err := p.Ready(t.Context()); err == nil {
		t.Error("ready before anything listens")
	}
	listener, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	if _, err := p.Ready(t.Context()); err != nil {
		t.Error(err)
	}
}
