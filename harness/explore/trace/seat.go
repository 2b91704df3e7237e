package trace

import (
	"bytes"
	"fmt"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// Seat is how the kernel shows one thread to others: whether it is asleep, and in
// which call. A nil one shows a thread that never sleeps. Its files stay open, so that a look
// at 40 threads costs a millisecond.
type Seat struct{ call, stat, times int }

// OpenSeat opens the files of a thread. The caller closes them.
func OpenSeat(tid int) (*Seat, error) {
	s := &Seat{-1, -1, -1}
	files := map[string]*int{"syscall": &s.call, "stat": &s.stat, "schedstat": &s.times}
	for name, fd := range files {
		var err error
		path := fmt.Sprintf("/proc/%d/task/%d/%s", tid, tid, name)
		*fd, err = unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC, 0)
		if err != nil {
			s.Close()
			return nil, fmt.Errorf("open %s of thread %d: %w", name, tid, err)
		}
	}
	return s, nil
}

// Close lets go of the files.
func (s *Seat) Close() {
	if s == nil {
		return
	}
	for _, fd := range []int{s.call, s.stat, s.times} {
		if fd >= 0 {
			unix.Close(fd)
		}
	}
}

// Sleep is what a thread that sleeps in the kernel sleeps in.
type Sleep struct {
	Call Call
	// Deep says that nothing but the end of its wait can wake it, such as a disk.
	Deep bool
	// Turns is how often the thread has been given a CPU; 0 where the kernel does not
	// count that (CONFIG_SCHED_INFO).
	Turns uint64
}

// Look says whether the thread sleeps in a system call, and in which.
//
// Its state alone does not say so: by the kernel's source a thread sets the state
// before it looks whether it has to sleep, and may lose its CPU there. The file
// syscall waits until the thread is off the run queue, or says "running"; but that
// does not tell sleep from a stop of ptrace, so Wait must find nothing afterwards.
func (s *Seat) Look() (Sleep, bool) {
	sleep := Sleep{Turns: s.turns()} // first: whoever has run since is not Unmoved
	var room [256]byte
	words := bytes.Fields(s.sleepsIn(room[:]))
	if len(words) < 7 {
		return Sleep{}, false // gone
	}
	number, err := strconv.ParseInt(string(words[0]), 10, 64)
	if err != nil || number < 0 {
		return sleep, false // not in a call
	}
	sleep.Call.Number = uint64(number)
	for i := range sleep.Call.Args {
		sleep.Call.Args[i], _ = strconv.ParseUint(string(words[i+1]), 0, 64)
	}
	state := s.state()
	sleep.Deep = state == 'D'
	return sleep, state == 'S' || state == 'D'
}

// Sleeps says whether the thread is off the run queue. Of one that is Unmoved since a
// Look that is all there is to ask.
func (s *Seat) Sleeps() bool {
	var room [256]byte
	return s.sleepsIn(room[:]) != nil
}

// sleepsIn is the line of the file syscall; nil of a thread that is to run, or gone.
func (s *Seat) sleepsIn(room []byte) []byte {
	if s == nil {
		return nil
	}
	line := read(s.call, room)
	if bytes.HasPrefix(line, []byte("running")) {
		return nil
	}
	return line
}

// Unmoved says whether the thread has had no CPU since that Look, as far as the kernel
// counts.
func (s *Seat) Unmoved(since Sleep) bool { return s.turns() == since.Turns }

// state is the letter behind the name, which may itself hold brackets (proc(5)).
func (s *Seat) state() byte {
	var room [512]byte
	text := read(s.stat, room[:])
	if i := bytes.LastIndexByte(text, ')'); i >= 0 && i+2 < len(text) {
		return text[i+2]
	}
	return 0
}

func (s *Seat) turns() uint64 { return s.time(2) }

// Ran is for how long the thread has had a CPU; 0 where the kernel does not count that.
func (s *Seat) Ran() time.Duration { return time.Duration(s.time(0)) }

// time is one of the numbers of the file schedstat.
func (s *Seat) time(index int) uint64 {
	if s == nil {
		return 0
	}
	var room [128]byte
	words := bytes.Fields(read(s.times, room[:]))
	if len(words) <= index {
		return 0
	}
	n, _ := strconv.ParseUint(string(words[index]), 10, 64)
	return n
}

func read(fd int, room []byte) []byte {
	n, err := unix.Pread(fd, room, 0)
	if err != nil || n == 0 {
		return nil
	}
	return room[:n]
}

// Ended says that the thread runs no more, though it can still be seen.
func (s *Seat) Ended() bool {
	if s == nil {
		return false
	}
	state := s.state()
	return state == 'Z' || state == 'X' || state == 0
}
