package probe

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// Entry is a process as the listing of /proc has it.
type Entry struct {
	PID   int    // as this host counts
	Inode uint64 // of /proc/<pid>
}

// Processes lists the processes of this machine. A listing has their inodes too
// (getdents(2)). To ask for one with stat(2) costs more, and of a process that is just
// ending it costs most: the kernel then forgets what it knew of the process, and so does
// whoever reaps it, one waiting for the other (d_invalidate in fs/dcache.c). Reapers were
// seen to spin there for half a second.
func Processes() ([]Entry, error) {
	proc, err := os.Open("/proc")
	if err != nil {
		return nil, fmt.Errorf("list processes: %w", err)
	}
	defer proc.Close()
	var all []Entry
	for buffer := make([]byte, 32<<10); ; {
		n, err := unix.ReadDirent(int(proc.Fd()), buffer)
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("list processes: %w", err)
		}
		if n == 0 {
			return all, nil
		}
		all = appendEntries(all, buffer[:n])
	}
}

// Where the fields of a linux_dirent64 are (getdents(2)).
const (
	direntLength = 16
	direntName   = 19
)

// appendEntries reads what getdents64 has written; what is no process is left out.
func appendEntries(all []Entry, raw []byte) []Entry {
	for len(raw) > 0 {
		length := binary.NativeEndian.Uint16(raw[direntLength:])
		name, _, _ := bytes.Cut(raw[direntName:length], []byte{0})
		if pid, err := strconv.Atoi(string(name)); err == nil {
			all = append(all, Entry{pid, binary.NativeEndian.Uint64(raw)})
		}
		raw = raw[length:]
	}
	return all
}
