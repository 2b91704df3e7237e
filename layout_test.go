package reapcheck_test

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/reapcheck/reapcheck/"

type pkg struct {
	ImportPath string
	Imports    []string
}

// Each rule is an arrow that must not be drawn. The daemon and its judge share
// nothing; the judge and the reports run anywhere; each large dependency has
// one door.
func TestImportArrows(t *testing.T) {
	rules := []struct {
		what     string
		from     func(pkg string) bool
		imported func(imp string) bool
	}{
		{"the harness imports the daemon", under("harness", "scenarios"), under("daemon")},
		{
			"the daemon imports the harness",
			under("daemon"),
			under("harness", "scenarios", "fixtures"),
		},
		{"gin outside daemon/api", not(under("daemon/api")), prefix("github.com/gin-gonic/gin")},
		{"daemon/process imports a foreign module", under("daemon/process"), foreign},
		{
			"testcontainers outside the docker runtime",
			not(under("harness/sandbox/docker")),
			prefix("github.com/testcontainers/"),
		},
		{"ginkgo or gomega outside scenarios", not(under("scenarios")), prefix("github.com/onsi/")},
		{
			"the harness imports scenarios",
			all(under("harness"), not(under("harness/cmd"))),
			under("scenarios"),
		},
		{
			"the contract of sandboxes knows a runtime",
			exactly("harness/sandbox"),
			under("harness/sandbox/docker", "harness/sandbox/namespace", "harness/machine"),
		},
		{
			"the docker runtime knows the other",
			under("harness/sandbox/docker"),
			under("harness/sandbox/namespace"),
		},
		{
			"the namespace runtime knows the other",
			under("harness/sandbox/namespace"),
			under("harness/sandbox/docker"),
		},
		{
			"a runtime is known by others than machine",
			all(under("harness"), not(under("harness/machine", "harness/sandbox", "harness/cmd"))),
			under("harness/sandbox/docker", "harness/sandbox/namespace"),
		},
		{
			"a runtime is chosen by others than the command",
			all(under("harness", "scenarios"), not(under("harness/machine", "harness/cmd"))),
			under("harness/machine"),
		},
		{
			"the judge is not pure",
			under("harness/trial"),
			either(
				under("harness"),
				prefix("net"),
				prefix("os"),
				prefix("syscall"),
				prefix("golang.org/x/sys"),
			),
		},
		{
			"results or reports are not pure",
			under("harness/results", "harness/report", "harness/evidence"),
			either(
				prefix("net"),
				prefix("syscall"),
				prefix("golang.org/x/sys"),
				under("harness/session", "harness/sandbox"),
			),
		},
		{
			"a comparison is not pure, or measures",
			under("harness/compare"),
			either(
				prefix("net"),
				prefix("syscall"),
				prefix("golang.org/x/sys"),
				under("harness/bench", "harness/session", "harness/sandbox", "harness/client"),
			),
		},
		{
			"results are drawn where they are kept",
			under("harness/results"),
			under("harness/report"),
		},
		{
			"evidence knows more than the judge",
			under("harness/evidence"),
			all(under("harness"), not(under("harness/trial"))),
		},
		{
			"a report is drawn by others than the command",
			all(under("harness", "scenarios"), not(under("harness/report", "harness/cmd"))),
			under("harness/report"),
		},
		{
			"a small package knows the others",
			under("harness/await", "harness/parallel", "harness/printable", "harness/userfile"),
			under("harness"),
		},
		{
			"how a plan is split depends on more than the plan",
			under("harness/shard"),
			either(under("harness"), prefix("os"), prefix("net"), prefix("time"), foreign),
		},
		{
			"shards are merged by what runs them",
			under("harness/merge"),
			under("harness/session", "harness/sandbox", "harness/report", "harness/target"),
		},
		{
			"commands or dialects know how they are sent",
			under("harness/load", "harness/dialect"),
			under("harness/client", "harness/driver", "harness/fault", "harness/sandbox",
				"harness/session", "harness/speaker"),
		},
		{
			"a client is made by others than speaker",
			all(under("harness", "scenarios"), not(under("harness/speaker"))),
			under("harness/client"),
		},
		{
			"the client and drivers know each other, or who is asked what",
			under("harness/client", "harness/driver"),
			under("harness/client", "harness/driver", "harness/load", "harness/session",
				"harness/speaker", "harness/target"),
		},
		{
			"what a driver's author imports brings other packages",
			under("driver", "gate"),
			either(foreign, prefix(strings.TrimSuffix(module, "/"))),
		},
		{
			"a fault knows what is asked or judged",
			under("harness/fault"),
			under(
				"harness/client",
				"harness/dialect",
				"harness/driver",
				"harness/results",
				"harness/speaker",
				"harness/session",
				"harness/trial",
			),
		},
		{
			"what proves the harness reaches into it",
			under("harness/proof"),
			under("harness/fault", "harness/report", "harness/sandbox", "harness/session"),
		},
	}
	all := append(packages(t, ""), packages(t, "faultpoints")...)
	for _, rule := range rules {
		if !slices.ContainsFunc(all, func(p pkg) bool { return rule.from(p.ImportPath) }) {
			t.Errorf("%s: the arrow begins at no package", rule.what)
		}
		for _, p := range all {
			for _, imp := range p.Imports {
				if rule.from(p.ImportPath) && rule.imported(imp) {
					t.Errorf("%s: %s imports %s", rule.what, p.ImportPath, imp)
				}
			}
		}
	}
}

// A file is one idea, and nobody reads more than this of one at a sitting.
func TestNoFileIsLong(t *testing.T) {
	const most = 400
	for path, text := range trackedFiles(t) {
		if n := strings.Count(text, "\n"); strings.HasSuffix(path, ".go") && n > most {
			t.Errorf("%s has %d lines, at most %d wanted: move an idea out of it", path, n, most)
		}
	}
}

// packages are all that a build with these tags may be made of.
func packages(t *testing.T, tags string) []pkg {
	t.Helper()
	out, err := exec.Command("go", "list", "-tags="+tags, "-json=ImportPath,Imports",
		"./...").Output()
	if err != nil {
		t.Fatal("list packages:", err)
	}
	var all []pkg
	decoder := json.NewDecoder(strings.NewReader(string(out)))
	for {
		var p pkg
		switch err := decoder.Decode(&p); {
		case errors.Is(err, io.EOF):
			return all
		case err != nil:
			t.Fatal("list packages:", err)
		}
		all = append(all, p)
	}
}

func under(dirs ...string) func(string) bool {
	return func(path string) bool {
		for _, dir := range dirs {
			if path == module+dir || strings.HasPrefix(path, module+dir+"/") {
				return true
			}
		}
		return false
	}
}

func exactly(dir string) func(string) bool {
	return func(path string) bool { return path == module+dir }
}

func prefix(p string) func(string) bool {
	return func(path string) bool {
		return path == strings.TrimSuffix(p, "/") ||
			strings.HasPrefix(path, strings.TrimSuffix(p, "/")+"/")
	}
}

func not(f func(string) bool) func(string) bool { return func(s string) bool { return !f(s) } }

func all(fs ...func(string) bool) func(string) bool {
	return func(s string) bool {
		for _, f := range fs {
			if !f(s) {
				return false
			}
		}
		return true
	}
}

func either(fs ...func(string) bool) func(string) bool {
	return func(s string) bool {
		for _, f := range fs {
			if f(s) {
				return true
			}
		}
		return false
	}
}

// foreign is a module that is neither the standard library, nor x/sys, nor
// this project.
func foreign(path string) bool {
	domain, _, _ := strings.Cut(path, "/")
	return strings.Contains(domain, ".") && !strings.HasPrefix(path, "golang.org/x/sys/") &&
		!strings.HasPrefix(path, module)
}
