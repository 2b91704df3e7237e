package sandbox

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"time"
)

// insider is a shell in a sandbox's PID namespace that writes kernel settings of
// it: the kernel goes by who writes, whatever /proc the file is in. It is a child
// of ours and none of the target's, and starts nothing, so that it does not use up
// a number which it has just chosen.
type insider struct {
	shell  *exec.Cmd
	stdin  io.WriteCloser
	stdout *os.File
	answer *bufio.Reader
	limit  time.Duration // of the wait for an answer
	ended  chan struct{} // closed when the shell has been reaped
}

// insiderLimit is how long a shell may take that does what takes 20 us.
const insiderLimit = 10 * time.Second

func (i *insider) write(path, value string) error {
	if _, err := fmt.Fprintln(i.stdin, path, value); err != nil {
		return fmt.Errorf("write setting: %w", err)
	}
	_ = i.stdout.SetReadDeadline(time.Now().Add(i.limit))
	said, err := i.answer.ReadString('\n')
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return fmt.Errorf("write setting %s: answer of the shell expected within %v, last saw %q", value, i.limit, said)
	}
	if said != "done\n" {
		return fmt.Errorf("write setting %s: %q (%v)", value, said, err)
	}
	return nil
}

// close ends the shell, which the end of the sandbox does too. It may be stopped.
func (i *insider) close() {
	_ = i.shell.Process.Kill()
	<-i.ended
	i.stdin.Close()
	i.stdout.Close()
}

// entered says whether the shell is there.
func (n *pidNamespace) entered() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.shell != nil
}

// leave ends it.
func (n *pidNamespace) leave() {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.shell != nil {
		n.shell.close()
		n.shell = nil
	}
}
