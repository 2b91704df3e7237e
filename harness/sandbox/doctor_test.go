package sandbox

import "testing"

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
