package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/reapcheck/reapcheck/daemon/process"
)

// config is what flags and environment say.
type config struct {
	listen           string
	portFile         string
	strategy         string
	token            string
	echildWait       time.Duration
	maxOutput        int
	maxBody          int64
	heldStdoutGrace  time.Duration
	killOnDisconnect bool
	killGrace        time.Duration
	shutdownLimit    time.Duration
	subreaper        bool
	showVersion      bool
}

const (
	// killGrace is enough for a program to remove its lock files and for a shell's
	// trap, and short against what a client notices that has set a timeout.
	// SIGKILL at once leaves index.lock behind, and the next git in the sandbox
	// refuses to work.
	killGrace = 250 * time.Millisecond
	// shutdownLimit leaves time, of the ten seconds after which docker stop sends
	// SIGKILL, to end what still runs and to answer for it.
	shutdownLimit = 8 * time.Second
)

// parseConfig reads the arguments. Each flag can also be set by an environment
// variable, DECK_ and the flag's name in capitals; the flag wins.
func parseConfig(args []string, env func(string) (string, bool), out io.Writer) (config, error) {
	c := config{echildWait: process.DefaultEchildWait}
	fs := flag.NewFlagSet("daemon", flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	c.define(fs)
	if err := setFromEnv(fs, env); err != nil {
		return c, err
	}
	err := fs.Parse(args)
	if errors.Is(err, flag.ErrHelp) {
		fs.SetOutput(out)
		usage(fs)
		return c, err
	}
	if err == nil && fs.NArg() > 0 {
		err = fmt.Errorf("unexpected argument %q", fs.Arg(0))
	}
	if err != nil {
		return c, err
	}
	return c, c.check()
}

func (c *config) define(fs *flag.FlagSet) {
	fs.StringVar(&c.listen, "listen", "127.0.0.1:2280",
		"`address` to listen on; port 0 takes a free one")
	fs.StringVar(&c.portFile, "port-file", "", "write the port listened on to this `path`")
	fs.StringVar(&c.strategy, "strategy", "registry",
		"how exit statuses are learned: `name` is one of "+strings.Join(process.StrategyNames,
			", "))
	fs.StringVar(&c.token, "token", "",
		"bearer `token` that requests must send; better set by "+envName("token"))
	fs.Var((*milliseconds)(&c.echildWait), "execute-echild-wait-ms",
		"documented: `milliseconds` to wait for a status after ECHILD; 0 does not wait")
	fs.IntVar(&c.maxOutput, "max-output", 10<<20, "`bytes` of a command's output that are kept")
	fs.Int64Var(&c.maxBody, "max-body", 1<<20, "`bytes` that a request body may have")
	fs.DurationVar(&c.heldStdoutGrace, "held-stdout-grace", 250*time.Millisecond,
		"how long to wait for output that a background process holds open")
	fs.BoolVar(&c.killOnDisconnect, "kill-on-disconnect", true,
		"kill a command when its client hangs up")
	fs.DurationVar(&c.killGrace, "kill-grace", killGrace,
		"how long a command that is to end has from SIGTERM to SIGKILL; 0 kills at once")
	fs.DurationVar(&c.shutdownLimit, "shutdown-limit", shutdownLimit,
		"how long commands may take to finish after SIGTERM")
	fs.BoolVar(&c.subreaper, "subreaper", false,
		"inherit and reap orphans without being PID 1 (Linux)")
	fs.BoolVar(&c.showVersion, "version", false, "print the version and exit")
}

func (c *config) check() error {
	switch {
	case !slices.Contains(process.StrategyNames, c.strategy):
		return fmt.Errorf("strategy %q is unknown, use one of %s", c.strategy,
			strings.Join(process.StrategyNames, ", "))
	case c.maxOutput < 0:
		return fmt.Errorf("max-output %d is negative", c.maxOutput)
	case c.maxBody <= 0:
		return fmt.Errorf("max-body %d is not positive", c.maxBody)
	case c.heldStdoutGrace < 0:
		return fmt.Errorf("held-stdout-grace %v is negative", c.heldStdoutGrace)
	case c.killGrace < 0:
		return fmt.Errorf("kill-grace %v is negative", c.killGrace)
	case c.shutdownLimit < 0:
		return fmt.Errorf("shutdown-limit %v is negative", c.shutdownLimit)
	}
	return nil
}

func setFromEnv(fs *flag.FlagSet, env func(string) (string, bool)) (err error) {
	fs.VisitAll(func(f *flag.Flag) {
		value, ok := env(envName(f.Name))
		if !ok || f.Name == "version" || err != nil {
			return
		}
		if setErr := fs.Set(f.Name, value); setErr != nil {
			err = fmt.Errorf("invalid value %q for %s: %w", value, envName(f.Name), setErr)
		}
	})
	return err
}

func envName(flagName string) string {
	return "DECK_" + strings.ToUpper(strings.ReplaceAll(flagName, "-", "_"))
}

func usage(fs *flag.FlagSet) {
	fmt.Fprint(fs.Output(), `daemon runs commands over HTTP:

    POST /process/execute {"command": "ls -al"}

Each flag can also be set by an environment variable: --max-output by
DECK_MAX_OUTPUT, and so on. The flag wins.

`)
	fs.PrintDefaults()
}

// milliseconds is a duration that is written as a whole number >= 0.
type milliseconds time.Duration

// maxMilliseconds is the most that a time.Duration holds.
const maxMilliseconds = math.MaxInt64 / int64(time.Millisecond)

func (m *milliseconds) String() string {
	return strconv.FormatInt(time.Duration(*m).Milliseconds(), 10)
}

func (m *milliseconds) Set(s string) error {
	n, err := strconv.ParseUint(s, 10, 63)
	if err != nil || int64(n) > maxMilliseconds {
		return errors.New("must be a whole number of milliseconds, 0 or more")
	}
	*m = milliseconds(time.Duration(n) * time.Millisecond)
	return nil
}

// scrubEnv keeps the token from the commands' environment.
func scrubEnv() { os.Unsetenv(envName("token")) }
