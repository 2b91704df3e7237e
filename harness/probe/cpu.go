package probe

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Share is what the threads of a process have had of the CPUs so far, all of them
// together. It is zero where the kernel does not count that (CONFIG_SCHED_INFO).
type Share struct {
	// Ran is how long they ran, Kept how long they were ready to run without being
	// given a CPU. A wait for one counts when it is over.
	Ran, Kept time.Duration
}

// ShareOf looks at a process's share.
func ShareOf(pid int) (Share, error) {
	Tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", pid))
	if err != nil {
		return Share{}, err
	}
	var share Share
	for _, path := range Tasks {
		text, err := os.ReadFile(path)
		if Gone(err) {
			continue // a thread that has ended meanwhile
		}
		var ran, waited int64
		if err == nil {
			_, err = fmt.Sscan(string(text), &ran, &waited)
		}
		if err != nil {
			return Share{}, fmt.Errorf("look at process %d: %s: %w", pid, path, err)
		}
		share.Ran += time.Duration(ran)
		share.Kept += time.Duration(waited)
	}
	return share, nil
}

// CPUTime is what a process has spent on CPUs so far with all its threads, also those
// that have ended, by its own clock: proc(5) counts in hundredths of a second.
func CPUTime(pid int) (time.Duration, error) {
	// The number of another process's clock, as clock_getcpuclockid(3) makes it.
	const ofProcess = 2
	var spent unix.Timespec
	if err := unix.ClockGettime(int32(^pid<<3|ofProcess), &spent); err != nil {
		return 0, fmt.Errorf("look at the CPU time of process %d: %w", pid, err)
	}
	return time.Duration(spent.Nano()), nil
}

// Runs says whether any thread of a process runs or is ready to.
func Runs(pid int) (bool, error) { return anyThread(pid, running) }

// Wants says whether any thread of a process runs or would if it were let: what
// is still waiting for its next turn on a CPU is not in Kept yet, and what waits in
// a call that does not block waits for whoever listens to its calls
// (seccomp_unotify(2)), and that may itself be kept off the CPU.
func Wants(pid int) (bool, error) {
	return anyThread(pid, func(task string, s Stat) bool {
		return running(task, s) || s.State == 'S' && listenedTo(task)
	})
}

// Stirs says whether any thread in the sandbox of a process runs, is ready to, or is in a
// call that no signal ends. One that cannot be seen does not.
func Stirs(pid int) bool {
	seen, _ := Look(pid)
	for _, p := range seen {
		stirs, _ := anyThread(p.PID, func(_ string, s Stat) bool {
			return s.State == 'R' || s.State == 'D'
		})
		if stirs {
			return true
		}
	}
	return false
}

func running(_ string, s Stat) bool { return s.State == 'R' }

func anyThread(pid int, is func(task string, s Stat) bool) (bool, error) {
	Tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*", pid))
	for _, task := range Tasks {
		// One that cannot be read has ended meanwhile.
		if s, statErr := ReadStat(filepath.Join(task, "stat")); statErr == nil && is(task, s) {
			return true, err
		}
	}
	return false, err
}

// listenedTo says whether a thread sleeps in a wait4 or waitid that does not
// block by itself.
func listenedTo(task string) bool {
	text, err := os.ReadFile(filepath.Join(task, "syscall"))
	return err == nil && looks(string(text))
}

// looks reads what proc(5) says of the call that a thread sleeps in: its number and
// six arguments, all but the first hexadecimal.
func looks(text string) bool {
	fields := strings.Fields(text)
	options := map[string]int{strconv.Itoa(unix.SYS_WAIT4): 3, strconv.Itoa(unix.SYS_WAITID): 4}
	if len(fields) == 0 {
		return false
	}
	at, ok := options[fields[0]]
	if !ok || len(fields) <= at {
		return false
	}
	n, err := strconv.ParseUint(fields[at], 0, 64)
	return err == nil && n&unix.WNOHANG != 0
}

// Still says whether every thread of a process is stopped, be it by a signal
// or by a tracer, or has ended. A thread that was told to stop and is in a sleep
// that signals do not end, D, stops before it runs on: it may be waiting for a
// child that it has started by vfork(2) and that has stopped before its exec.
func Still(pid int, told bool) bool {
	states := "TtZX"
	if told {
		states += "D"
	}
	threads, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", pid))
	for _, path := range threads {
		stat, err := ReadStat(path)
		if err != nil {
			continue // it has ended
		}
		if !strings.ContainsRune(states, rune(stat.State)) {
			return false
		}
	}
	return true
}
