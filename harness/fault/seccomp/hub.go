package seccomp

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/reapcheck/reapcheck/harness/await"
	"github.com/reapcheck/reapcheck/harness/launcher"
	"github.com/reapcheck/reapcheck/harness/owner"
	"github.com/reapcheck/reapcheck/harness/sandbox"
)

// handoverLimit bounds what one launcher has to say, which it says at once.
const handoverLimit = await.Broken

// Hub is where the launchers of one run hand their listeners over.
type Hub struct {
	root   string // only this user may enter
	folder string // what sandboxes see
	socket *net.UnixListener
	done   chan struct{} // closed when no launcher will be received any more

	mu       sync.Mutex
	arrivals map[string]arrival // by sandbox name
	seizers  map[string]func(pid int) error
	deaf     error // why the last launcher was not received
}

// arrival is what came of one launcher.
type arrival struct {
	supervisor *Supervisor
	err        error
}

const launcherName = "launcher"

// Open makes a folder with a copy of the launcher, a static executable, and
// listens there. Close removes it.
func Open(launcherPath string) (*Hub, error) {
	root, err := owner.MakeFolder("hold-")
	if err != nil {
		return nil, fmt.Errorf("make folder of launcher: %w", err)
	}
	h := &Hub{
		root:     root,
		folder:   filepath.Join(root, "hold"),
		done:     make(chan struct{}),
		arrivals: map[string]arrival{},
		seizers:  map[string]func(int) error{},
	}
	if err := h.fill(launcherPath); err != nil {
		os.RemoveAll(root)
		return nil, fmt.Errorf("make folder of launcher: %w", err)
	}
	go h.receiveAll()
	return h, nil
}

// fill lets anybody read the folder and write to the socket in it, because the
// target may be any user. Those of this machine do not get past root.
func (h *Hub) fill(launcherPath string) error {
	if err := os.Mkdir(h.folder, 0o755); err != nil {
		return err
	}
	program := filepath.Join(h.folder, launcherName)
	if err := copyFile(program, launcherPath); err != nil {
		return err
	}
	path := filepath.Join(h.folder, launcher.Socket)
	socket, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		return err
	}
	h.socket = socket
	// whatever the umask says
	return errors.Join(os.Chmod(h.folder, 0o755), os.Chmod(program, 0o755), os.Chmod(path, 0o666))
}

func copyFile(to, from string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o755)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}

// Front goes before the target of the sandbox with that name, which must be
// the run's only one. Arguments are launcher.NoPidfd or none.
func (h *Hub) Front(sandboxName string, args ...string) sandbox.Front {
	return sandbox.Front{Folder: h.folder, Program: launcherName, Args: append(args, sandboxName)}
}

// Traced goes before the target of a sandbox that is to be traced and not held:
// seize is called with the process that is about to become the target, which waits
// until it returns. An error of seize is Supervisor's.
func (h *Hub) Traced(sandboxName string, seize func(pid int) error) sandbox.Front {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.seizers[sandboxName] = seize
	return h.Front(sandboxName, launcher.Traced)
}

// Supervisor is that of a sandbox which is ready. The error says in words why
// there is none.
func (h *Hub) Supervisor(sandboxName string) (*Supervisor, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	a, ok := h.arrivals[sandboxName]
	if !ok {
		return nil,
			errors.Join(errors.New(
				"the launcher did not reach this process; the target's log says why"), h.deaf)
	}
	return a.supervisor, a.err
}

// Close ends all supervision: call it when no sandbox lives any more.
func (h *Hub) Close() error {
	err := h.socket.Close()
	<-h.done
	for _, a := range h.arrivals {
		if a.supervisor != nil {
			a.supervisor.close()
		}
	}
	return errors.Join(err, os.RemoveAll(h.root))
}

// acceptPause is how long to wait before a launcher is tried again that could not
// be received: until some file has been closed.
const acceptPause = 10 * time.Millisecond

func (h *Hub) receiveAll() {
	defer close(h.done)
	for {
		conn, err := h.socket.AcceptUnix()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		h.mu.Lock()
		h.deaf = err
		h.mu.Unlock()
		if err != nil {
			time.Sleep(acceptPause)
			continue
		}
		h.receive(conn)
	}
}

// receive takes one listener over before it hangs up, which tells the launcher
// that its waits are answered.
func (h *Hub) receive(conn *net.UnixConn) {
	defer conn.Close()
	handover, err := read(conn)
	if err != nil && handover.Name == "" {
		return // whoever it was, it was no launcher
	}
	a := arrival{err: err}
	switch {
	case err != nil:
	case handover.Problem != "":
		a.err = errors.New(handover.Problem)
	case handover.Listener < 0:
		a.err = h.seize(handover)
	default:
		a.supervisor, a.err = newSupervisor(handover.Listener, handover.PID)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if old := h.arrivals[handover.Name].supervisor; old != nil {
		old.close()
	}
	h.arrivals[handover.Name] = a
}

func (h *Hub) seize(handover launcher.Handover) error {
	h.mu.Lock()
	seize := h.seizers[handover.Name]
	h.mu.Unlock()
	switch {
	case seize == nil:
		return errors.New("no one asked to trace it")
	case handover.PID == 0:
		return errElsewhere
	}
	return seize(handover.PID)
}

// read waits for the first bytes without a thread of its own.
func read(conn *net.UnixConn) (h launcher.Handover, err error) {
	if err := conn.SetDeadline(time.Now().Add(handoverLimit)); err != nil {
		return h, err
	}
	raw, err := conn.SyscallConn()
	if err != nil {
		return h, err
	}
	waited := raw.Read(func(fd uintptr) bool {
		h, err = launcher.Receive(int(fd))
		return !errors.Is(err, unix.EAGAIN)
	})
	return h, errors.Join(waited, err)
}
