// Package stage is what only a process inside a sandbox's PID namespace can do.
// Become is for PID 1: it mounts the sandbox's own /proc and becomes the target.
// Nothing of it stays.
//
// A program takes part by importing this package: executed with the arguments
// that Become returns, it does that work and nothing else. The work is
// done in init, because Go initialises packages by import path as soon as their
// imports are initialised: this one asks for little and comes before others
// that take 25 ms. In another order it would be slower and no less right.
package stage

import (
	"errors"
	"io"
	"math"
	"os"
	"strconv"
	"strings"
	"syscall"
	"unsafe"
)

// becomeName is how the argv[0] begins by which the stage is known. See Own.
const becomeName = "reapcheck-become"

// report is the file descriptor on which a stage says how it went. The starter
// reads it with Outcome.
const report = 3

// Become is the command line, argv[0] and all, of a stage that becomes command.
// Without a command the stage ends when /proc is mounted, with exit status 0.
func Become(command ...string) []string { return Own{}.Become(command...) }

func init() {
	if len(os.Args) == 0 {
		return
	}
	if own, is := ownOf(os.Args[0]); is {
		become(own, os.Args[1:])
	}
}

// Where a stage failed.
var (
	ErrMount   = errors.New("mount /proc")
	ErrPrivate = errors.New("give the sandbox a folder of its own")
	ErrExecute = errors.New("execute target")
)

// places are the letters by which a report names them.
var places = map[byte]error{'m': ErrMount, 'p': ErrPrivate, 'x': ErrExecute}

// Failure is why a stage did not do its work.
type Failure struct {
	Where error // one of the above
	Errno syscall.Errno
}

// Error says where it failed, and why.
func (f *Failure) Error() string { return f.Where.Error() + ": " + f.Errno.Error() }

// Unwrap lets callers ask for the place and for the error number.
func (f *Failure) Unwrap() []error { return []error{f.Where, f.Errno} }

// become never returns.
func become(own Own, command []string) {
	closeOnExec()
	if os.Getpid() != 1 {
		os.Exit(failed) // somebody executed it by hand, and would get a second /proc
	}
	// The kernel kills us when our starter ends, from a moment after our start
	// on. If it ended before that moment no one reads this.
	if _, err := syscall.Write(report, []byte{begun}); err != nil {
		os.Exit(failed)
	}
	flags := uintptr(syscall.MS_NOSUID | syscall.MS_NODEV | syscall.MS_NOEXEC)
	if err := syscall.Mount("proc", "/proc", "proc", flags, ""); err != nil {
		fail('m', err)
	}
	if len(command) == 0 {
		os.Exit(0)
	}
	if err := own.make(); err != nil {
		fail('p', err)
	}
	blockNoSignal()
	fail('x', syscall.Exec(command[0], command, os.Environ()))
}

// blockNoSignal keeps the target from what our starter blocks: an execve keeps that, and
// Go gives it to each child (signal(7), runtime: minitSignalMask). The thread's mask is
// the one that counts, and init runs on the thread that executes the target.
func blockNoSignal() {
	const setMask = 2 // SIG_SETMASK
	var none uint64
	_, _, _ = syscall.RawSyscall6(syscall.SYS_RT_SIGPROCMASK, setMask,
		uintptr(unsafe.Pointer(&none)), 0, unsafe.Sizeof(none), 0, 0)
}

// closeOnExec keeps the report from the target, and with it what our starter
// inherited, such as the pipe of make's job server.
func closeOnExec() {
	const (
		closeRange = 436 // the same on every architecture
		cloexec    = 4   // CLOSE_RANGE_CLOEXEC, Linux 5.11
	)
	syscall.CloseOnExec(report)
	_, _, _ = syscall.Syscall(closeRange, report, math.MaxUint32, cloexec)
}

// begun is the first byte of a report. What follows it is a failure: a letter
// for where, and the error number.
const begun = '.'

// failed is what env(1) and the like end with when they cannot do their work.
const failed = 125

func fail(where byte, err error) {
	var errno syscall.Errno
	errors.As(err, &errno)
	_, _ = syscall.Write(report, strconv.AppendInt([]byte{where}, int64(errno), 10))
	os.Exit(failed)
}

// Outcome reads a report to its end, which comes when the stage has done its
// work or has failed. The error is a *Failure unless the stage was killed.
func Outcome(r io.Reader) error {
	text, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	words, ok := strings.CutPrefix(string(text), string(begun))
	if !ok {
		return errors.New("stage ended before it began")
	}
	if words == "" {
		return nil
	}
	errno, err := strconv.Atoi(words[1:])
	if err != nil {
		return errors.New("stage was cut short: " + strconv.Quote(words))
	}
	return &Failure{places[words[0]], syscall.Errno(errno)}
}
