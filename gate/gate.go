// Package gate lets a daemon's own `go test` call the gate:
//
//	func TestReaping(t *testing.T) {
//		gate.Check(t,
//			gate.Binary("./mydaemon", "--listen", "0.0.0.0:2280"),
//			gate.Dialect("mine.yaml"))
//	}
//
// Check and Run are the front door. They execute the reapcheck command, which `go
// install github.com/reapcheck/reapcheck/harness/cmd/reapcheck@latest` puts in
// $PATH. The package imports the standard library alone, so a module that imports
// it depends on nothing more. `go get -tool` brings the command in the version that
// go.mod says, and with it the harness's own requirements.
package gate

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Verdicts of a Result. Every other word, the empty one too, is no pass.
const (
	Pass         = "pass"
	Fail         = "fail"
	Inconclusive = "inconclusive"
)

// Result is what a run came to. The zero Result is no pass.
type Result struct {
	Verdict   string     `json:"verdict"`
	Problem   string     `json:"problem"` // why the run ended before its end
	Trials    int        `json:"trials"`
	Scenarios []Scenario `json:"scenarios"`
	// Causes are what the scenarios have in common that went wrong, the worst first.
	Causes []Cause `json:"causes"`
	// Folder has report.html and the recordings.
	Folder string `json:"-"`
	// Output is what the command printed.
	Output string `json:"-"`
}

// Scenario is one finding.
type Scenario struct {
	ID      string `json:"id"`
	Verdict string `json:"verdict"`
	Reason  string `json:"reason"` // why it is not a pass
}

// Cause is why the daemon misbehaved, in one scenario or in many.
type Cause struct {
	ID    string `json:"id"`
	Level string `json:"level"` // must, should or advice
	// Weight is "fails" for what makes the verdict; all else is only shown.
	Weight    string `json:"weight"`
	Title     string `json:"title"`
	Scenarios []struct {
		ID string `json:"id"`
	} `json:"scenarios"`
}

// Option says what is judged, and how.
type Option func(*command)

// command is a command line in the making.
type command struct {
	program string
	flags   []string
	args    []string // of the target
	env     []string
	results string
}

func flag(name string, values ...string) Option {
	return func(c *command) {
		for _, value := range values {
			c.flags = append(c.flags, "--"+name+"="+value)
		}
	}
}

func target(name, value string, args []string) Option {
	return func(c *command) {
		flag(name, value)(c)
		c.args = append(c.args, args...)
	}
}

// Binary judges a program, started with these arguments as PID 1 of a sandbox.
func Binary(path string, args ...string) Option { return target("binary", path, args) }

// Image judges a container image; the arguments follow its entry point.
func Image(ref string, args ...string) Option { return target("image", ref, args) }

// URL judges a daemon that runs already, by its answers only.
func URL(base string) Option { return flag("url", base) }

// Dialect is a built-in dialect's name, or a file that ends in .yaml.
func Dialect(nameOrFile string) Option { return flag("dialect", nameOrFile) }

// Driver is the command line of a program that speaks to the daemon, where no dialect can.
func Driver(line string) Option { return flag("driver", line) }

// Exec is a command line that is started for each command, with placeholders.
func Exec(line string) Option { return flag("exec", line) }

// Runtime is the name of a runtime, such as docker, or auto, which is the default.
func Runtime(name string) Option { return flag("runtime", name) }

// Tier is quick, which is the default here, standard or soak.
func Tier(name string) Option { return flag("tier", name) }

// Level is the lightest failure that fails: must, should, which is the default, or advice.
func Level(name string) Option { return flag("level", name) }

// Only runs these scenarios, by ID.
func Only(ids ...string) Option { return flag("only", ids...) }

// Skip leaves these scenarios out, by ID.
func Skip(ids ...string) Option { return flag("skip", ids...) }

// Waivers names a file of known failures.
func Waivers(file string) Option { return flag("waivers", file) }

// Results is where result folders are made; the default is "results" in the
// current folder, which is the package's under go test.
func Results(dir string) Option { return func(c *command) { c.results = dir } }

// Env sets a variable of the target. Its value is on no command line and in no
// result.
func Env(name, value string) Option {
	return func(c *command) {
		c.flags = append(c.flags, "--env="+name)
		c.env = append(c.env, name+"="+value)
	}
}

// Command is the reapcheck program. Without it $REAPCHECK names it, or else it is
// the tool of the current module, or else it is found in $PATH.
func Command(path string) Option { return func(c *command) { c.program = path } }

// Check fails the test unless the verdict is pass: a run that proves nothing is
// no success. What the command printed is in the test's log.
func Check(t testing.TB, options ...Option) {
	t.Helper()
	result, err := Run(t.Context(), options...)
	if err != nil {
		t.Fatalf("reapcheck: %v\n%s", err, result.Output)
	}
	t.Logf("reapcheck: report %s\n%s", filepath.Join(result.Folder, "report.html"), result.Output)
	if result.Verdict != Pass {
		t.Fatalf("reapcheck: %s", result.summary())
	}
}

// summary is the verdict and what it rests on.
func (r Result) summary() string {
	lines := []string{"verdict " + r.Verdict}
	if r.Problem != "" {
		lines = append(lines, "problem: "+r.Problem)
	}
	for _, c := range r.Causes {
		if c.Weight == "fails" {
			lines = append(lines, fmt.Sprintf("%s: %s: %s", c.Level, c.ID, c.Title))
		}
	}
	for _, s := range r.Scenarios {
		if s.Verdict != Pass {
			lines = append(lines, fmt.Sprintf("%s: %s: %s", s.ID, s.Verdict, s.Reason))
		}
	}
	return strings.Join(lines, "\n")
}

// Run judges a daemon. The error means that there is no verdict; what the daemon
// did wrong is in the Result.
func Run(ctx context.Context, options ...Option) (Result, error) {
	c := command{flags: []string{"--tier=quick"}, results: "results"}
	for _, option := range options {
		option(&c)
	}
	if c.program == "" {
		var err error
		if c.program, err = findCommand(ctx); err != nil {
			return Result{}, err
		}
	}
	// A folder of the run's own: `latest` may be another run's.
	if err := os.MkdirAll(c.results, 0o755); err != nil {
		return Result{}, fmt.Errorf("make results: %w", err)
	}
	parent, err := os.MkdirTemp(c.results, "gate-")
	if err != nil {
		return Result{}, fmt.Errorf("make results: %w", err)
	}
	argv := append([]string{"gate", "--results=" + parent}, c.flags...)
	cmd := exec.CommandContext(ctx, c.program, append(append(argv, "--"), c.args...)...)
	cmd.Env = append(os.Environ(), c.env...)
	// it cleans up after itself
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = cleanUpLimit
	output, err := cmd.CombinedOutput()
	result, readErr := read(parent)
	result.Output = string(output)
	if exited := new(exec.ExitError); errors.As(err, &exited) && result.Verdict != Pass {
		err = nil // the verdict file says more than the status
	}
	return result, errors.Join(err, readErr)
}

// cleanUpLimit is what the command is given after an interrupt: it allows itself
// a minute.
const cleanUpLimit = 90 * time.Second

// read takes the verdict from the one result folder below parent.
func read(parent string) (Result, error) {
	folder, err := filepath.EvalSymlinks(filepath.Join(parent, "latest"))
	if err != nil {
		return Result{}, errors.New("the command left no results")
	}
	raw, err := os.ReadFile(filepath.Join(folder, "verdict.json"))
	if err != nil {
		return Result{}, fmt.Errorf("read verdict: %w", err)
	}
	result := Result{Folder: folder}
	if err := json.Unmarshal(raw, &result); err != nil {
		return Result{}, fmt.Errorf("read verdict: %w", err)
	}
	return result, nil
}

const tool = "github.com/reapcheck/reapcheck/harness/cmd/reapcheck"

func findCommand(ctx context.Context) (string, error) {
	if path := os.Getenv("REAPCHECK"); path != "" {
		return path, nil
	}
	if out, err := exec.CommandContext(ctx, "go", "tool", "-n", tool).Output(); err == nil {
		return strings.TrimSpace(string(out)), nil
	}
	if path, err := exec.LookPath("reapcheck"); err == nil {
		return path, nil
	}
	return "",
		fmt.Errorf(
			"find reapcheck: neither $REAPCHECK nor a tool of this module nor in $PATH: "+
				"go install %s@latest", tool)
}
