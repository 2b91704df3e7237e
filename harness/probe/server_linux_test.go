package probe

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// The daemon is whoever listens: this process, or one that it has started and that alone
// has the socket.
func TestServerIsWhoListens(t *testing.T) {
	for name, listen := range map[string]func() (net.Listener, Listener, error){
		"a port": func() (net.Listener, Listener, error) {
			l, err := net.Listen("tcp4", "127.0.0.1:0")
			if err != nil {
				return nil, Listener{}, err
			}
			return l, Listener{Port: l.Addr().(*net.TCPAddr).Port}, nil
		},
		"a socket": func() (net.Listener, Listener, error) {
			path := filepath.Join(t.TempDir(), "s")
			l, err := net.Listen("unix", path)
			return l, Listener{Socket: path}, err
		},
	} {
		t.Run(name, func(t *testing.T) {
			l, at, err := listen()
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			if got := Server(os.Getpid(), at); got != os.Getpid() {
				t.Errorf("process %d, want this one, %d", got, os.Getpid())
			}
			file, err := l.(interface{ File() (*os.File, error) }).File()
			if err != nil {
				t.Fatal(err)
			}
			child := exec.Command("sleep", "60")
			child.ExtraFiles = []*os.File{file}
			if err := child.Start(); err != nil {
				t.Fatal(err)
			}
			defer child.Wait()
			defer child.Process.Kill()
			file.Close()
			if u, ok := l.(*net.UnixListener); ok {
				u.SetUnlinkOnClose(false)
			}
			l.Close()
			if got := Server(os.Getpid(), at); got != child.Process.Pid {
				t.Errorf("process %d, want the child, %d", got, child.Process.Pid)
			}
			if got := Server(os.Getpid(), Listener{Port: 1}); got != os.Getpid() {
				t.Errorf("process %d where nobody listens, want %d", got, os.Getpid())
			}
		})
	}
}
