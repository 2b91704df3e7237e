package bench

import (
	"testing"

	"github.com/prometheus/procfs"
)

func TestIdle(t *testing.T) {
	before := procfs.CPUStat{User: 10, System: 5, Idle: 100, Iowait: 1}
	for _, c := range []struct {
		after procfs.CPUStat
		want  float64
	}{
		{procfs.CPUStat{User: 10, System: 5, Idle: 102, Iowait: 1}, 1},
		{procfs.CPUStat{User: 11, System: 6, Idle: 101, Iowait: 2}, 0.5},
		{procfs.CPUStat{User: 12, System: 5, Idle: 100, Iowait: 1}, 0},
		{procfs.CPUStat{User: 12, System: 5, Idle: 99.9, Iowait: 1}, 0},
		{procfs.CPUStat{User: 9.9, System: 5, Idle: 102, Iowait: 1}, 1},
		{before, 0},
	} {
		if got := idle(before, c.after); got != c.want {
			t.Errorf("%+v: %v, want %v", c.after, got, c.want)
		}
	}
}
