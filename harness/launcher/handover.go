package launcher

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Handover is what one launcher says.
type Handover struct {
	// Name is the launcher's first argument.
	Name string
	// Problem says why there is no listener; empty where there is one.
	Problem string
	// Listener is the file descriptor of the notifications; -1 for none, as it is
	// without a problem for a launcher that is to be traced. It is the receiver's to
	// close.
	Listener int
	// PID is the launcher's, and so the target's, as the receiver counts; 0
	// where the receiver cannot see it.
	PID int
}

// handoverSize bounds the text of a handover.
const handoverSize = 4 << 10

// answerLimit bounds the waits for the harness, which answers at once unless it
// has run out of files or is stopped. It is shorter than a target may take to be
// ready, so that what the launcher says is what the user reads.
const answerLimit = 20 * time.Second

func connect(socket string) (int, error) {
	conn, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1, fmt.Errorf("make socket: %w", err)
	}
	if err := setLimit(conn, answerLimit); err != nil {
		unix.Close(conn)
		return -1, err
	}
	if err := unix.Connect(conn, &unix.SockaddrUnix{Name: socket}); err != nil {
		unix.Close(conn)
		return -1, fmt.Errorf("reach the harness at %s: %w", socket, err)
	}
	return conn, nil
}

// setLimit bounds every later wait on a socket, that for a connection included
// (socket(7), SO_SNDTIMEO): it then fails with EAGAIN.
func setLimit(conn int, limit time.Duration) error {
	value := unix.NsecToTimeval(limit.Nanoseconds())
	err := unix.SetsockoptTimeval(conn, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &value)
	if err == nil {
		err = unix.SetsockoptTimeval(conn, unix.SOL_SOCKET, unix.SO_SNDTIMEO, &value)
	}
	if err != nil {
		return fmt.Errorf("limit waits for the harness: %w", err)
	}
	return nil
}

// send says all and waits until the harness has closed the connection: from
// then on notifications are answered.
func send(conn int, name string, problem error, listener int) error {
	text, rights := name+"\n", []byte(nil)
	if problem != nil {
		text += problem.Error()
	} else if listener >= 0 {
		rights = unix.UnixRights(listener)
	}
	if err := unix.Sendmsg(conn, []byte(text), rights, nil, 0); err != nil {
		return fmt.Errorf("hand over to the harness: %w", err)
	}
	for {
		_, err := unix.Read(conn, make([]byte, 1))
		if errors.Is(err, unix.EAGAIN) {
			return fmt.Errorf(
				"hand over to the harness: an answer expected within %v, none came; "+
					"it may have run out of open files, see ulimit -n", answerLimit)
		}
		if !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}

// Receive reads what the launcher at the other end of conn says. The caller
// closes conn when it is ready to answer notifications.
func Receive(conn int) (Handover, error) {
	h := Handover{Listener: -1}
	text, rights := make([]byte, handoverSize), make([]byte, unix.CmsgSpace(4))
	n, m, flags, _, err := unix.Recvmsg(conn, text, rights, unix.MSG_CMSG_CLOEXEC)
	if err != nil {
		return h, fmt.Errorf("receive from launcher: %w", err)
	}
	h.Name, h.Problem, _ = strings.Cut(string(text[:n]), "\n")
	if flags&unix.MSG_CTRUNC != 0 { // recvmsg(2): no number was free for the file
		return h, fmt.Errorf("receive from launcher of %s: %w", h.Name, unix.EMFILE)
	}
	if h.Listener, err = receivedFile(rights[:m]); err != nil {
		return h, fmt.Errorf("receive from launcher of %s: %w", h.Name, err)
	}
	if peer, err := unix.GetsockoptUcred(conn, unix.SOL_SOCKET, unix.SO_PEERCRED); err == nil {
		h.PID = int(peer.Pid)
	}
	return h, nil
}

// receivedFile is the one file descriptor in a control message, or -1.
func receivedFile(control []byte) (int, error) {
	messages, err := unix.ParseSocketControlMessage(control)
	if err != nil || len(messages) == 0 {
		return -1, err
	}
	files, err := unix.ParseUnixRights(&messages[0])
	if err != nil || len(files) == 0 {
		return -1, err
	}
	return files[0], nil
}
