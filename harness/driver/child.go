package driver

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// child is the process of a driver, in a process group of its own.
type child struct {
	cmd     *exec.Cmd
	in, out *os.File // our ends
	stderr  *os.File
	reading sync.WaitGroup // of stderr
	ended   chan struct{}  // closed once the child is reaped and its group is killed

	mu     sync.Mutex
	reaped bool
}

// startChild starts a program in the network of its target.
func startChild(line []string, place Place, stderr io.Writer) (*child, error) {
	c := &child{cmd: exec.Command(line[0], line[1:]...), ended: make(chan struct{})}
	theirs, err := c.pipes()
	if err == nil {
		c.cmd.Env = append(os.Environ(), place.environment()...)
		// The kernel ends it with this process, however that ends.
		c.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
		err = c.start(place)
	}
	for _, f := range theirs {
		f.Close()
	}
	if err != nil {
		c.release()
		return nil, err
	}
	c.reading.Go(func() { _, _ = io.Copy(stderr, c.stderr) })
	return c, nil
}

// pipes makes the child's three files, and returns its ends.
func (c *child) pipes() (theirs []*os.File, err error) {
	pipe := func() (read, write *os.File) {
		if err == nil {
			read, write, err = os.Pipe()
		}
		return read, write
	}
	in, ourIn := pipe()
	ourOut, out := pipe()
	ourErr, errs := pipe()
	c.in, c.out, c.stderr = ourIn, ourOut, ourErr
	c.cmd.Stdin, c.cmd.Stdout, c.cmd.Stderr = in, out, errs
	return []*os.File{in, out, errs}, err
}

func (c *child) start(place Place) error {
	started := make(chan error, 1)
	go c.live(place, started)
	return <-started
}

// live is the child's life on a thread that stays for as long as the child does: the
// kernel sends Pdeathsig at the end of the thread (prctl(2)).
func (c *child) live(place Place, started chan<- error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	begun := false
	err := place.do(func() error {
		if err := c.cmd.Start(); err != nil {
			return err
		}
		begun = true
		started <- nil
		c.wait()
		return nil
	})
	if !begun {
		started <- err
	}
}

// wait sees the child end. Its group is killed while the child's number is still its own.
func (c *child) wait() {
	defer close(c.ended)
	for {
		err := unix.Waitid(unix.P_PID, c.cmd.Process.Pid, nil, unix.WEXITED|unix.WNOWAIT, nil)
		if err != unix.EINTR {
			break
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	_ = unix.Kill(-c.cmd.Process.Pid, unix.SIGKILL)
	_ = c.cmd.Wait() // the state says more
	c.reaped = true
}

// kill ends the child and its group.
func (c *child) kill() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.reaped {
		_ = unix.Kill(-c.cmd.Process.Pid, unix.SIGKILL)
	}
}

// how says how the child ended, or that it has closed its output and still runs.
func (c *child) how() string {
	select {
	case <-c.ended:
		return fmt.Sprintf("it ended (%v)", c.cmd.ProcessState)
	case <-time.After(drainLimit):
		return "it closed its standard output"
	}
}

// drainLimit is how long files are read that a process which has left the group may hold.
const drainLimit = time.Second

// release closes our ends of the files. Reading of what was written ends first.
func (c *child) release() {
	if c.stderr != nil {
		_ = c.stderr.SetReadDeadline(time.Now().Add(drainLimit))
	}
	if c.out != nil {
		_ = c.out.SetReadDeadline(time.Now().Add(drainLimit))
	}
	c.reading.Wait()
	for _, f := range []*os.File{c.in, c.stderr} {
		if f != nil {
			f.Close()
		}
	}
}
