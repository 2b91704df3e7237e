package event

import (
	"slices"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/reapcheck/reapcheck/harness/explore/trace"
)

func TestNamesAreReadAsTheyAreWritten(t *testing.T) {
	for text, want := range map[string]Name{
		"exit":      {Kind: Exit, Command: 1},
		"waited!":   {Kind: Waited, Command: 1, Failed: true},
		"take.2":    {Kind: Take, Command: 2},
		"waited.3!": {Kind: Waited, Command: 3, Failed: true},
		"sigchld":   {Kind: Signal},
		"time200":   {Kind: Time, Millis: 200},
		"wait'":     {Kind: Wait, Command: 1, Again: 1},
	} {
		got, err := Parse(text)
		if err != nil || got != want || got.String() != text {
			t.Errorf("%s: %+v written %s, error %v", text, got, got, err)
		}
	}
	for _, text := range []string{"", "exits", "time", "exit.x"} {
		if n, err := Parse(text); err == nil {
			t.Errorf("%q was read as %+v", text, n)
		}
	}
}

func TestEventsOfOneRestHaveOneOrder(t *testing.T) {
	got := []Name{{Kind: EOF, Command: 1}, {Kind: Exit, Command: 2}, {Kind: Signal}, {Kind: Exit, Command: 1}}
	slices.SortFunc(got, func(a, b Name) int {
		if a.Less(b) {
			return -1
		}
		return 1
	})
	if text := Order(got); text != "exit exit.2 sigchld eof" {
		t.Errorf("got %s", text)
	}
}

func TestCallsAreSorted(t *testing.T) {
	any := ^uint64(0)
	for name, c := range map[string]struct {
		call trace.Call
		want Call
	}{
		"wait4(-1)":              {trace.Call{Number: unix.SYS_WAIT4, Args: [6]uint64{any}}, WaitAny},
		"wait4(7)":               {trace.Call{Number: unix.SYS_WAIT4, Args: [6]uint64{7}}, WaitOne},
		"waitid(P_ALL)":          {trace.Call{Number: unix.SYS_WAITID, Args: [6]uint64{unix.P_ALL}}, WaitAny},
		"waitid(P_PIDFD)":        {trace.Call{Number: unix.SYS_WAITID, Args: [6]uint64{unix.P_PIDFD, 5}}, WaitOne},
		"fcntl(F_DUPFD)":         {trace.Call{Number: unix.SYS_FCNTL, Args: [6]uint64{3, unix.F_DUPFD}}, Duplicate},
		"fcntl(F_GETFL)":         {trace.Call{Number: unix.SYS_FCNTL, Args: [6]uint64{3, unix.F_GETFL}}, Other},
		"an unknown system call": {trace.Call{Number: 9999}, Other},
	} {
		if got := CallOf(c.call); got != c.want {
			t.Errorf("%s: kind %d, want %d", name, got, c.want)
		}
	}
}

func TestWaitsThatSleepAreToldFromLooks(t *testing.T) {
	for name, c := range map[string]struct {
		call trace.Call
		want bool
	}{
		"wait4(7)":                   {trace.Call{Number: unix.SYS_WAIT4, Args: [6]uint64{7}}, true},
		"wait4(7, WNOHANG)":          {trace.Call{Number: unix.SYS_WAIT4, Args: [6]uint64{7, 0, unix.WNOHANG}}, false},
		"waitid(P_PIDFD, WEXITED)":   {trace.Call{Number: unix.SYS_WAITID, Args: [6]uint64{unix.P_PIDFD, 5, 0, unix.WEXITED}}, true},
		"waitid(P_PID, and at once)": {trace.Call{Number: unix.SYS_WAITID, Args: [6]uint64{unix.P_PID, 7, 0, unix.WEXITED | unix.WNOHANG}}, false},
	} {
		if got := Blocks(c.call); got != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}
