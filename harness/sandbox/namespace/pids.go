package namespace

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/reapcheck/reapcheck/harness/probe"
	"github.com/reapcheck/reapcheck/harness/sandbox/pidns"
)

// SetNextPID writes to the sandbox's own /proc: this machine's may be read-only.
func (s *namespaced) SetNextPID(_ context.Context, pid int) error {
	return s.pids.SetNext(s.proc(), pid)
}

// LeavePIDs ends the shell that has chosen them.
func (s *namespaced) LeavePIDs() { s.pids.Leave() }

func (s *namespaced) proc() string { return fmt.Sprintf("/proc/%d/root/proc", s.PID()) }

func (s *namespaced) setPIDMax(limit int) error {
	return s.pids.Write(s.proc()+"/sys/kernel/pid_max", strconv.Itoa(limit))
}

// LimitPIDs lowers the highest process ID. It needs no control group, which
// only root may make.
func (s *namespaced) LimitPIDs(ctx context.Context, spare int) error {
	if kernel := probe.Kernel(); !hasPIDMaxPerNamespace(kernel) {
		return fmt.Errorf("limit processes: %s has one pid_max for the whole machine, which is left alone; Linux 6.14 is needed", kernel)
	}
	// From 301 on the next number is never one below 300 (kernel/pid.c,
	// RESERVED_PIDS), so the numbers there are out of the question.
	err := s.SetNextPID(ctx, reservedPIDs+1)
	var used map[int]bool
	if err == nil {
		used, err = pidns.Tasks(s.pids, s.PID())
	}
	if err == nil {
		err = s.setPIDMax(pidMaxFor(used, spare))
	}
	if err != nil {
		return errors.Join(fmt.Errorf("limit processes of %s: %w", s.name, err), s.FreePIDs(ctx))
	}
	return nil
}

// reservedPIDs is where numbers begin again once they have come to pid_max.
const reservedPIDs = 300

// pidMaxFor is the pid_max below which just spare numbers are free.
func pidMaxFor(used map[int]bool, spare int) int {
	limit := reservedPIDs
	for ; spare > 0; limit++ {
		if !used[limit] {
			spare--
		}
	}
	return limit
}

// FreePIDs goes back to what the machine has, and leaves. The shell is there
// since the limit was set: under it no process could be added that lifts it.
func (s *namespaced) FreePIDs(context.Context) error {
	if !s.pids.Entered() {
		return nil
	}
	defer s.pids.Leave()
	machine, err := machinePIDMax()
	if err == nil {
		err = s.setPIDMax(machine)
	}
	if err != nil {
		return fmt.Errorf("lift limit of processes of %s: %w", s.name, err)
	}
	return nil
}

func machinePIDMax() (int, error) {
	text, err := os.ReadFile("/proc/sys/kernel/pid_max")
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(strings.TrimSpace(string(text)))
}

// hasPIDMaxPerNamespace reads Kernel's text.
func hasPIDMaxPerNamespace(kernel string) bool {
	var major, minor int
	_, err := fmt.Sscanf(kernel, "Linux %d.%d", &major, &minor)
	return err == nil && (major > 6 || major == 6 && minor >= 14)
}
