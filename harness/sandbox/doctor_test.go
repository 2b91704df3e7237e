package sandbox

import (
	"io/fs"
	"strings"
	"testing"
)

// A machine lacks something only where neither runtime works.
func TestOneRuntimeIsEnough(t *testing.T) {
	for _, c := range []struct{ engine, image, namespaces, lacking bool }{
		{true, true, true, false},
		{true, true, false, false},
		{true, false, true, false},
		{false, false, true, false},
		{true, false, false, true},
		{false, false, false, true},
	} {
		lacking := false
		for _, check := range oneIsEnough([]Check{{OK: c.engine}, {OK: c.image}}, Check{OK: c.namespaces}) {
			lacking = lacking || check.Required && !check.OK
		}
		if lacking != c.lacking {
			t.Errorf("%+v", c)
		}
	}
}

func TestDoctorKnowsWhereProcessesCanBeLimited(t *testing.T) {
	if c := checkPIDLimit("Linux 6.8.0-45-generic"); c.OK || c.Required || !strings.Contains(c.Advice, "6.14") {
		t.Errorf("an old kernel: %+v", c)
	}
	if c := checkPIDLimit("Linux 6.14.1"); !c.OK || c.Advice != "" {
		t.Errorf("a new one: %+v", c)
	}
}

// Without a view into containers much can be run and little proved: a note.
func TestDoctorKnowsWhoMayNotLookIntoContainers(t *testing.T) {
	if c := checkView(&fs.PathError{Op: "readlink", Path: "/proc/1/ns/pid", Err: fs.ErrPermission}); c.OK || c.Required || !strings.Contains(c.Advice, "sudo") {
		t.Errorf("an ordinary user: %+v", c)
	}
	if c := checkView(nil); !c.OK || c.Advice != "" {
		t.Errorf("root: %+v", c)
	}
}
