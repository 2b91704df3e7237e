package machine

import (
	"io/fs"
	"strings"
	"testing"

	"github.com/reapcheck/reapcheck/harness/sandbox"
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
		engine := []sandbox.Check{{OK: c.engine, Required: true}, {OK: c.image, Required: true}}
		namespaces := []sandbox.Check{{OK: c.namespaces, Required: true}, {Name: "process limit"}}
		for _, check := range oneIsEnough(engine, namespaces) {
			lacking = lacking || check.Required && !check.OK
		}
		if lacking != c.lacking {
			t.Errorf("%+v", c)
		}
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
