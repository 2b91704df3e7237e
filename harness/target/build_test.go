package target

import (
	"runtime/debug"
	"strings"
	"testing"
)

func TestModuleVersion(t *testing.T) {
	main := func(path, version string, deps ...*debug.Module) *debug.BuildInfo {
		return &debug.BuildInfo{Main: debug.Module{Path: path, Version: version}, Deps: deps}
	}
	ours := func(version string) *debug.Module {
		return &debug.Module{
			Path:    module,
			Version: version,
		}
	}
	replaced := ours("v1.2.3")
	replaced.Replace = &debug.Module{Path: "../reapcheck"}
	for _, c := range []struct {
		name, want string
		info       *debug.BuildInfo
	}{
		{"installed", "v1.2.3", main(module, "v1.2.3")},
		{"a tool of another module", "v1.2.3",
			main("example.org/daemon", "(devel)", ours("v1.2.3"))},
		{"built from a tree", "", main(module, "(devel)")},
		{"built from a changed tree", "",
			main(module, "v1.2.4-0.20260101000000-abcdefabcdef+dirty")},
		{"replaced", "", main("example.org/daemon", "v9.0.0", replaced)},
		{"not there", "", main("example.org/daemon", "v9.0.0")},
	} {
		got, err := moduleVersion(c.info, true)
		if got != c.want || (err == nil) != (c.want != "") {
			t.Errorf("%s: %q, %v", c.name, got, err)
		}
	}
	if _, err := moduleVersion(nil, false); err == nil ||
		!strings.Contains(err.Error(), "version") {
		t.Errorf("no build information: %v", err)
	}
}
