package stage

import (
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// socketMark follows becomeName where the target has a socket, whose path follows it.
const socketMark = "@"

// AtSocket is Become for a target that listens on a Unix socket: the folder of that is
// the sandbox's own.
func AtSocket(path string, command ...string) []string {
	return append([]string{becomeName + socketMark + path}, command...)
}

// makePrivate gives this mount namespace a folder of its own where the path of a socket
// leads, so that sandboxes which share this machine's files do not take each other's. All
// that is in the folder stays where it is; only what is made in it is private. The socket
// itself, if one is there, is not taken along.
//
// What is there is mounted again, entry by entry: through an overlay the sockets below it
// would be others (unix(7) knows them by their inode).
func makePrivate(socket string) error {
	folder := existing(filepath.Dir(socket))
	if folder == "/" {
		return nil // its entries cannot be mounted below themselves
	}
	origin, err := syscall.Open(folder, syscall.O_RDONLY|syscall.O_DIRECTORY|syscall.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer syscall.Close(origin)
	info, err := os.Stat(folder)
	if err != nil {
		return err
	}
	entries, err := os.ReadDir(folder)
	if err != nil {
		return err
	}
	if err := syscall.Mount("tmpfs", folder, "tmpfs", 0, "mode=700"); err != nil {
		return err
	}
	for _, entry := range entries {
		from := "/proc/self/fd/" + strconv.Itoa(origin) + "/" + entry.Name()
		to := filepath.Join(folder, entry.Name())
		if to == socket {
			continue
		}
		if err := again(from, to, entry.Type()); err != nil && !os.IsNotExist(err) {
			return err
		}
	}
	return os.Chmod(folder, info.Mode())
}

// existing is the folder itself or the nearest above it that is there, without links.
func existing(folder string) string {
	for {
		if found, err := filepath.EvalSymlinks(folder); err == nil {
			return found
		}
		folder = filepath.Dir(folder)
	}
}

// again makes one entry of the folder that is mounted over. One that has gone meanwhile
// is an error that is fs.ErrNotExist.
func again(from, to string, kind fs.FileMode) error {
	switch {
	case kind&fs.ModeSymlink != 0:
		leads, err := os.Readlink(from)
		if err != nil {
			return err
		}
		return os.Symlink(leads, to)
	case kind.IsDir():
		if err := os.Mkdir(to, 0o700); err != nil {
			return err
		}
	default:
		if err := os.WriteFile(to, nil, 0o600); err != nil {
			return err
		}
	}
	err := syscall.Mount(from, to, "", syscall.MS_BIND|syscall.MS_REC, "")
	if err == syscall.ENOENT {
		_ = os.Remove(to)
	}
	return err
}

// socketOf is the socket's path in a stage's name; empty for none.
func socketOf(name string) (socket string, is bool) {
	if name == becomeName {
		return "", true
	}
	return strings.CutPrefix(name, becomeName+socketMark)
}
