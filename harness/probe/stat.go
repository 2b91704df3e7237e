package probe

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
)

// Stat is what is asked most of a process or thread, and costs one file.
type Stat struct {
	State  byte // a letter of proc(5)
	Parent int  // as this host counts
	Start  string
}

// ReadStat reads /proc/<pid>/stat, or that of a thread. Start is in clock ticks
// since the machine's own. Fields are counted from the last parenthesis, because
// the name before it may hold spaces and any parenthesis (proc(5)).
func ReadStat(path string) (s Stat, err error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return s, err
	}
	fields := bytes.Fields(raw[bytes.LastIndexByte(raw, ')')+1:])
	const state, parent, start = 3, 4, 22
	if len(fields) <= start-state {
		return s, fmt.Errorf("read %s: %d fields after the name, more than %d expected", path, len(fields), start-state)
	}
	s.State, s.Start = fields[0][0], string(fields[start-state])
	s.Parent, err = strconv.Atoi(string(fields[parent-state]))
	return s, err
}

// StatOf is ReadStat of a process.
func StatOf(pid int) (Stat, error) { return ReadStat(fmt.Sprintf("/proc/%d/stat", pid)) }
