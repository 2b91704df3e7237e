package model

import "testing"

func count(orders map[string]string) (all, lost int) {
	for _, outcome := range orders {
		if outcome == "lost" {
			lost++
		}
	}
	return len(orders), lost
}

// The sound C daemon, counted by hand. Its handler reads only when it knows of its
// start, and answers after the end of the output and the reaper's word: exit, start,
// sigchld, take and eof, with exit before sigchld, and take after start and sigchld,
// eof after exit and start. Start goes into one of three places before them.
func TestTheSoundDaemonIsAsCountedByHand(t *testing.T) {
	for _, order := range []string{
		"exit start sigchld take eof", "exit start sigchld eof take", "exit start eof sigchld take",
		"exit sigchld start take eof", "exit sigchld start eof take",
		"start exit sigchld take eof", "start exit sigchld eof take", "start exit eof sigchld take",
	} {
		if Orders(CSound, 0)[order] != "ok" {
			t.Errorf("%s: %q", order, Orders(CSound, 0)[order])
		}
	}
	if all, lost := count(Orders(CSound, 0)); all != 8 || lost != 0 {
		t.Errorf("%d orders, %d lost", all, lost)
	}
}

func TestCounts(t *testing.T) {
	for name, c := range map[string]struct {
		daemon    Daemon
		times     int
		all, lost int
	}{
		"none":                  {None, 0, 33, 0},
		"none, time":            {None, 1, 51, 0},
		"reaper-only":           {ReaperOnly, 0, 67, 45},
		"reaper-only, time":     {ReaperOnly, 1, 101, 64},
		"documented":            {Documented, 0, 67, 3},
		"documented, time":      {Documented, 1, 109, 21},
		"registry":              {Registry, 0, 18, 0},
		"registry, time":        {Registry, 1, 30, 0},
		"a racing daemon in C":  {CRaces, 0, 22, 18},
		"the sound daemon in C": {CSound, 1, 8, 0},
	} {
		if all, lost := count(Orders(c.daemon, c.times)); all != c.all || lost != c.lost {
			t.Errorf("%s: %d orders, %d lost; the explorer found %d and %d", name, all, lost, c.all, c.lost)
		}
	}
}
