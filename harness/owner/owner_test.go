package owner

import (
	"os"
	"syscall"
	"testing"
)

func TestOwnerDead(t *testing.T) {
	self := This()
	change := func(f func(*Process)) Process {
		o := self
		f(&o)
		return o
	}
	tests := map[string]struct {
		owner Process
		want  bool
	}{
		"this process":            {self, false},
		"the number came again":   {change(func(o *Process) { o.start = "1" }), true},
		"no such process":         {change(func(o *Process) { o.pid = 1 << 30 }), true},
		"the machine restarted":   {change(func(o *Process) { o.boot = "other" }), true},
		"unseen in its namespace": {change(func(o *Process) { o.pidns, o.start = "1", "1" }), false},
	}
	for name, test := range tests {
		if got := test.owner.Dead(); got != test.want {
			t.Errorf("%s: %v", name, got)
		}
		if parsed, ok := Parse(test.owner.String()); !ok || parsed != test.owner {
			t.Errorf("%s: parsed %+v", name, parsed)
		}
	}
	for _, label := range []string{"", "nobody", "a/b/c/d", "a/b/1"} {
		if _, ok := Parse(label); ok {
			t.Errorf("%q is an owner", label)
		}
	}
}

// Under hidepid another user's process has no folder in /proc.
func TestAnOwnerThatIsHiddenIsNotDead(t *testing.T) {
	o := Process{start: "7"}
	for name, c := range map[string]struct {
		start          string
		unread, signal error
		want           bool
	}{
		"itself":                {"7", nil, nil, false},
		"another user's":        {"7", nil, syscall.EPERM, false},
		"the number came again": {"8", nil, nil, true},
		"hidden":                {"", os.ErrNotExist, syscall.EPERM, false},
		"nobody":                {"", os.ErrNotExist, syscall.ESRCH, true},
		"this machine says no":  {"", os.ErrPermission, nil, false},
	} {
		if got := o.gone(c.start, c.unread, c.signal); got != c.want {
			t.Errorf("%s: gone %v", name, got)
		}
	}
}
