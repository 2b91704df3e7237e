package stage

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

// Own is what the sandbox has for itself of the files that it shares with this machine.
// The zero value is nothing.
type Own struct {
	// Socket is the path of the target's Unix socket, whose folder is the sandbox's own.
	Socket string
	// Folders are those for temporary files, of which each holds Temp bytes; 0 leaves them as
	// they are.
	Folders []string
	Temp    int64
}

// ownMark follows becomeName; Temp, Folders and Socket follow it, with colons between them
// and bars between the folders.
const (
	ownMark   = "@"
	ownParts  = 3
	ownFolder = "|"
)

// Become is Become in a sandbox that has something for itself.
func (o Own) Become(command ...string) []string {
	name := becomeName + ownMark + strconv.FormatInt(o.Temp, 10) + ":" +
		strings.Join(o.Folders, ownFolder) + ":" + o.Socket
	return append([]string{name}, command...)
}

// ownOf reads a stage's name; is says whether it is one.
func ownOf(name string) (own Own, is bool) {
	words, is := strings.CutPrefix(name, becomeName+ownMark)
	parts := strings.SplitN(words, ":", ownParts)
	if !is || len(parts) < ownParts {
		return own, false
	}
	own.Temp, _ = strconv.ParseInt(parts[0], 10, 64)
	own.Folders, own.Socket = strings.Split(parts[1], ownFolder), parts[2]
	return own, true
}

// make makes it.
func (o Own) make() error {
	var made []string
	if o.Temp > 0 {
		size := "mode=1777,size=" + strconv.FormatInt(o.Temp, 10)
		for _, folder := range o.Folders {
			real, err := filepath.EvalSymlinks(folder)
			if err != nil || slices.Contains(made, real) {
				continue // it is not there, or a link to another of them
			}
			if err := makePrivate(real, size, o.Socket); err != nil {
				return err
			}
			made = append(made, folder, real)
		}
	}
	folder := filepath.Dir(o.Socket)
	if o.Socket == "" || slices.Contains(made, folder) {
		return nil
	}
	return makePrivate(folder, "mode=700", o.Socket)
}

// makePrivate gives this mount namespace a folder of its own, so that sandboxes which share
// this machine's files do not take each other's: a tmpfs with these options. All that is in
// the folder stays where it is but for one path, which may be empty; only what is made in it
// is private.
//
// What is there is mounted again, entry by entry: through an overlay the sockets below it
// would be others (unix(7) knows them by their inode).
func makePrivate(path, options, but string) error {
	folder := existing(path)
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
	if err := syscall.Mount("tmpfs", folder, "tmpfs", 0, options); err != nil {
		return err
	}
	for _, entry := range entries {
		from := "/proc/self/fd/" + strconv.Itoa(origin) + "/" + entry.Name()
		to := filepath.Join(folder, entry.Name())
		if to == but {
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
