// Command daemon runs shell commands over HTTP and may be PID 1 of a
// container. It is the reference that reapcheck judges other daemons by.
//
// It exits 0 after SIGTERM or SIGINT, 64 if it was called wrongly and 1 if it
// could not serve.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"strconv"
	"syscall"
	"time"

	"github.com/reapcheck/reapcheck/daemon/api"
	"github.com/reapcheck/reapcheck/daemon/process"
)

// version is set by the linker.
var version = ""

// gcPercent and ballast trade the collector's time for memory, unless GOGC is
// set. Thousands of commands that only wait should cost little more than their
// stacks, so the heap may grow by a fifth between collections. A daemon with a
// few has next to no heap, and would collect dozens of times a second: the
// ballast counts as heap and takes no memory, since nobody writes to it.
const (
	gcPercent = 20
	ballast   = 32 << 20
)

const (
	exitFailure = 1
	exitUsage   = 64 // EX_USAGE of sysexits.h
)

func main() {
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}

func run(args []string, stdout, stderr io.Writer) int {
	c, err := parseConfig(args, os.LookupEnv, stdout)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		fmt.Fprintf(stderr, "daemon: %v\ntry daemon --help\n", err)
		return exitUsage
	case c.showVersion:
		fmt.Fprintln(stdout, "daemon", versionText())
		return 0
	}
	if c.strategy == initInFront && !process.BehindInit() {
		return runInit(c, stderr) // with the token, which the one behind it needs
	}
	scrubEnv()
	outliveCommands()
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
		defer runtime.KeepAlive(make([]byte, ballast))
	}
	out := newLogWriter(stderr)
	defer out.close()
	log := slog.New(slog.NewTextHandler(out, nil))
	if err := serve(c, log); err != nil {
		log.Error("daemon failed", "error", err)
		return exitFailure
	}
	return 0
}

// outliveCommands keeps a command from ending the sandbox by kill -QUIT 1 and its like. The
// kernel lets PID 1 have only the signals that it has asked for (kill(2)), and Go's runtime asks
// for these, and takes them for the end (os/signal). A fault of the daemon's own still ends it.
// What is ignored, as SIGHUP under nohup(1), stays so for the commands.
func outliveCommands() {
	unread := make(chan os.Signal, 1)
	for _, sig := range []syscall.Signal{
		syscall.SIGHUP, syscall.SIGQUIT, syscall.SIGABRT, syscall.SIGTRAP, syscall.SIGSYS,
		syscall.SIGSEGV, syscall.SIGBUS, syscall.SIGFPE, syscall.SIGILL,
	} {
		if !signal.Ignored(sig) {
			signal.Notify(unread, sig)
		}
	}
}

func versionText() string {
	if version != "" {
		return version
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "unknown"
}

// serve listens, says so, and returns after a signal and an orderly end.
func serve(c config, log *slog.Logger) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	// A broken pipe on stderr would end a Go process. This is not signal.Ignore,
	// which the commands would inherit.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	if err := prepare(c); err != nil {
		return err
	}
	listener, err := net.Listen("tcp", c.listen)
	if err != nil {
		return err
	}
	defer listener.Close()
	if err := writePort(c.portFile, listener.Addr()); err != nil {
		return err
	}
	strategy, err := process.NewStrategy(c.strategy, c.echildWait, log)
	if err != nil {
		return err
	}
	executor := process.NewExecutor(strategy, process.Options{
		MaxOutput:       c.maxOutput,
		HeldStdoutGrace: c.heldStdoutGrace,
		KillGrace:       c.killGrace,
	})
	gone, err := api.OpenGone()
	if err != nil {
		return err
	}
	defer gone.Close()
	server := newServer(c, executor, gone, log)
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	log.Info("listening", "addr", listener.Addr().String(), "strategy", c.strategy, "pid",
		os.Getpid(), "version", versionText())
	select {
	case err = <-failed:
	case <-ctx.Done(): // and a second signal changes nothing: the end has its own limits
	}
	return errors.Join(err, shutDown(server, executor, c, log))
}

// prepare does what must come before the first child.
func prepare(c config) error {
	// os/exec probes pidfds with a throw-away child, once. Let it be now.
	os.FindProcess(os.Getpid())
	reserveThreads(spareThreads)
	if !c.subreaper || c.strategy == initInFront {
		return nil
	}
	if err := process.BecomeSubreaper(); err != nil {
		return fmt.Errorf("become child subreaper: %w", err)
	}
	return nil
}

// Limits on a client: until its request is there whole, which net/http lifts
// then (startBackgroundRead), and between two of its requests.
const (
	requestLimit = 30 * time.Second
	idleLimit    = 2 * time.Minute
)

func newServer(c config, executor *process.Executor, gone *api.Gone,
	log *slog.Logger) *http.Server {
	return &http.Server{
		Handler: api.New(executor, api.Options{
			Version:          versionText(),
			Strategy:         c.strategy,
			Token:            c.token,
			MaxBody:          c.maxBody,
			KillOnDisconnect: c.killOnDisconnect,
			Gone:             gone,
		}, log),
		ConnContext:       gone.ConnContext,
		ReadHeaderTimeout: requestLimit,
		ReadTimeout:       requestLimit,
		IdleTimeout:       idleLimit,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
}

// writePort leaves the port where a starter can read it. The file is complete
// as soon as it is there.
func writePort(path string, addr net.Addr) error {
	if path == "" {
		return nil
	}
	port := strconv.Itoa(addr.(*net.TCPAddr).Port)
	if err := os.WriteFile(path+".tmp", []byte(port+"\n"), 0o644); err != nil {
		return err
	}
	return os.Rename(path+".tmp", path)
}

// answerLimit is how long killed commands may take to end and their answers to
// be sent.
const answerLimit = 5 * time.Second

// clientLimit is for clients when no command is left: to read what is still to be sent, or
// to finish a request, which is then refused. Some never do (http.Server.Shutdown waits for
// them), and docker stop waits for ten seconds in all.
const clientLimit = time.Second

// shutDown stops listening, waits for the commands, ends those that take longer
// than the limit, and waits for their answers to be sent.
func shutDown(server *http.Server, executor *process.Executor, c config, log *slog.Logger) error {
	log.Info("shutting down", "inFlight", executor.InFlight(), "limit", c.shutdownLimit)
	limit := c.shutdownLimit + c.killGrace + answerLimit
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	answers, giveUp := context.WithCancel(ctx)
	defer giveUp()
	ended := make(chan int, 1)
	go func() {
		finish, cancel := context.WithTimeout(ctx, c.shutdownLimit)
		defer cancel()
		ended <- executor.Shutdown(finish)
		time.AfterFunc(clientLimit, giveUp)
	}()
	if err := server.Shutdown(answers); err != nil {
		log.Warn("some answers were not sent", "error", err)
		server.Close()
	}
	select {
	case killed := <-ended:
		log.Info("shut down", "killed", killed)
		return nil
	case <-ctx.Done():
		return fmt.Errorf("shut down: all commands ended expected within %v, last saw %d in flight",
			limit, executor.InFlight())
	}
}
