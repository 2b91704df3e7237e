// Package launcher is what runs inside a sandbox before the target does: it
// has the kernel ask the harness before every wait4 and waitid, hands the
// harness the file descriptor on which it is asked, and becomes the target.
//
// Main is the front door; Receive is the harness's end. Nothing of it stays:
// no process, no open file, only the filter, which the target's children
// inherit. It needs no privilege; without CAP_SYS_ADMIN it sets no_new_privs, so that
// a sudo in the target has no effect. The package imports little, because it is linked into
// a program that is executed once per sandbox.
package launcher

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"
)

// Socket is the name of the harness's socket, in the folder from which the
// launcher is executed.
const Socket = "socket"

// NoPidfd is the argument that makes pidfd_open fail with ENOSYS. Go, among
// others, then waits by process ID, as it does before Linux 5.4.
const NoPidfd = "-no-pidfd"

// Traced is the argument that leaves system calls alone: the harness has a tracer
// seize the launcher before it answers.
const Traced = "-traced"

// Exit statuses as the shell has them, and one for a launcher that was called
// wrongly or cannot let the target run, as env(1) has it.
const (
	exitFailed        = 125
	exitNotExecutable = 126
	exitNotFound      = 127
)

// Main is the whole program: launcher [-no-pidfd | -traced] NAME COMMAND [ARGUMENT...].
// It returns only on error. It must be called on a locked thread: a filter is the
// thread's that installs it, and execve takes that thread.
//
// A filter that cannot be installed is reported, by way of the socket where that
// works, and the target runs without it: the harness then says that it cannot judge.
// If a filter is installed and cannot be handed over, the target does not run, since
// each of its waits would fail.
func Main(argv []string) int {
	flags := flag.NewFlagSet("launcher", flag.ContinueOnError)
	noPidfd := flags.Bool(NoPidfd[1:], false, "make pidfd_open fail")
	traced := flags.Bool(Traced[1:], false, "install no filter: a tracer will see every call")
	if err := flags.Parse(argv[1:]); err != nil || flags.NArg() < 2 {
		fmt.Fprintln(os.Stderr, "usage: launcher ["+NoPidfd+" | "+Traced+
			"] NAME COMMAND [ARGUMENT...]")
		return exitFailed
	}
	name, command := flags.Arg(0), flags.Args()[1:]
	socket := filepath.Join(filepath.Dir(argv[0]), Socket)
	var err error
	if *traced {
		err = announce(socket, name)
	} else {
		err = prepare(socket, name, *noPidfd)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "reapcheck launcher:", err)
	}
	if errors.Is(err, errStranded) {
		return exitFailed
	}
	return become(command)
}

// prepare connects first: with a filter whose listener has no owner every wait
// would fail with ENOSYS.
func prepare(socket, name string, noPidfd bool) error {
	conn, err := connect(socket)
	if err != nil {
		return err
	}
	defer unix.Close(conn)
	listener, err := install(noPidfd)
	if err != nil {
		return errors.Join(err, send(conn, name, err, -1))
	}
	defer unix.Close(listener)
	if err := send(conn, name, nil, listener); err != nil {
		return fmt.Errorf("%w: %w", errStranded, err)
	}
	return nil
}

// announce waits until the harness has hung up, so that this process is traced from
// its execve on.
func announce(socket, name string) error {
	conn, err := connect(socket)
	if err != nil {
		return err
	}
	defer unix.Close(conn)
	return send(conn, name, nil, -1)
}

// errStranded means that this process has a filter and no one who answers.
var errStranded = errors.New("the target cannot run")

// become executes the command; it returns only on error.
func become(command []string) int {
	path, err := exec.LookPath(command[0])
	if err == nil {
		err = syscall.Exec(path, command, os.Environ())
	}
	fmt.Fprintf(os.Stderr, "reapcheck launcher: execute target %s: %v\n", command[0], err)
	if errors.Is(err, exec.ErrNotFound) || errors.Is(err, os.ErrNotExist) {
		return exitNotFound
	}
	return exitNotExecutable
}
