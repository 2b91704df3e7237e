package seccomp

import (
	"testing"

	"golang.org/x/sys/unix"
)

func TestCallsAreToldApart(t *testing.T) {
	const minusOne = ^uint64(0)
	none := uint64(0)
	for name, c := range map[string]struct {
		number int32
		args   [6]uint64
		want   call
	}{
		"wait4(7)":                       {unix.SYS_WAIT4, [6]uint64{7}, call{side: wait, child: 7, blocks: true}},
		"wait4(7, WNOHANG)":              {unix.SYS_WAIT4, [6]uint64{7, none, unix.WNOHANG}, call{side: look, child: 7, mayBeNone: true}},
		"wait4(-1)":                      {unix.SYS_WAIT4, [6]uint64{minusOne}, call{side: take, child: -1, blocks: true}},
		"wait4(-1) by an int":            {unix.SYS_WAIT4, [6]uint64{0xffffffff}, call{side: take, child: -1, blocks: true}},
		"wait4(-1, WNOHANG)":             {unix.SYS_WAIT4, [6]uint64{minusOne, none, unix.WNOHANG}, call{side: take, child: -1, mayBeNone: true}},
		"wait4(-1, __WCLONE)":            {unix.SYS_WAIT4, [6]uint64{minusOne, none, unix.WCLONE}, call{side: other, child: -1, blocks: true}},
		"wait4(-1, __WALL)":              {unix.SYS_WAIT4, [6]uint64{minusOne, none, unix.WALL}, call{side: take, child: -1, blocks: true}},
		"wait4 of a group":               {unix.SYS_WAIT4, [6]uint64{uint64(0xfffffff0)}, call{side: other, child: -16, blocks: true}},
		"waitid(P_PIDFD, 5)":             {unix.SYS_WAITID, [6]uint64{unix.P_PIDFD, 5, none, unix.WEXITED}, call{side: wait, child: 5, pidfd: true, blocks: true}},
		"waitid(P_PID, 7, WNOWAIT)":      {unix.SYS_WAITID, [6]uint64{unix.P_PID, 7, none, unix.WEXITED | unix.WNOWAIT}, call{side: wait, child: 7, blocks: true}},
		"waitid(P_PIDFD, __WCLONE)":      {unix.SYS_WAITID, [6]uint64{unix.P_PIDFD, 5, none, unix.WEXITED | unix.WCLONE}, call{side: other, child: 5, pidfd: true, blocks: true}},
		"waitid(P_ALL)":                  {unix.SYS_WAITID, [6]uint64{unix.P_ALL, 0, none, unix.WEXITED}, call{side: take, blocks: true}},
		"waitid(P_ALL, WNOHANG)":         {unix.SYS_WAITID, [6]uint64{unix.P_ALL, 0, none, unix.WEXITED | unix.WNOHANG}, call{side: take}},
		"waitid(P_ALL, WNOHANG|WNOWAIT)": {unix.SYS_WAITID, [6]uint64{unix.P_ALL, 0, none, unix.WEXITED | unix.WNOHANG | unix.WNOWAIT}, call{side: peek}},
		"waitid(P_PID, WSTOPPED)":        {unix.SYS_WAITID, [6]uint64{unix.P_PID, 7, none, unix.WSTOPPED}, call{side: other, child: 7, blocks: true}},
		"waitid(P_PGID, 7)":              {unix.SYS_WAITID, [6]uint64{unix.P_PGID, 7, none, unix.WEXITED}, call{side: other, child: 7, blocks: true}},
	} {
		if got := callOf(c.number, c.args); got != c.want {
			t.Errorf("%s: %+v, want %+v", name, got, c.want)
		}
	}
}

func TestHitsAreCountedByWhoCouldComeSecond(t *testing.T) {
	for name, c := range map[string]struct {
		rule   Rule
		counts Counts
		want   int64
	}{
		"a reaper and waiters":                    {ReaperWins, Counts{Takes: 9, Waits: 5, ReaperFirst: 3, Late: 1, Reaped: 8}, 4},
		"a reaper, and waiters that do not block": {ReaperWins, Counts{Takes: 9, Looks: 5, Reaped: 8}, 0},
		"a reaper alone":                          {ReaperWins, Counts{Takes: 9, Reaped: 4}, 4},
		"one that peeks and then looks":           {ReaperWins, Counts{Peeks: 9, Looks: 7, Reaped: 4}, 4},
		"waiters alone":                           {ReaperWins, Counts{Waits: 5, Held: 5, LimitHits: 5}, 0},
		"waiters that come first":                 {WaiterWins, Counts{Takes: 9, Waits: 5, Held: 4, WaiterFirst: 3}, 3},
		"nothing":                                 {Off, Counts{Takes: 2, Waits: 3, Foreign: 7}, 5},
	} {
		if got := c.counts.Hits(c.rule); got != c.want {
			t.Errorf("%s: %d hits, want %d", name, got, c.want)
		}
	}
}
