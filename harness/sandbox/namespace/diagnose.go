package namespace

import (
	"github.com/reapcheck/reapcheck/harness/probe"
	"github.com/reapcheck/reapcheck/harness/sandbox"
)

// Diagnose says what this machine has for sandboxes of namespaces.
func Diagnose() []sandbox.Check {
	return []sandbox.Check{
		sandbox.VerdictOn("namespaces", "can be made by "+Whoami(), Try()),
		checkPIDLimit(probe.Kernel()),
	}
}

// checkPIDLimit says whether a namespace's processes can be limited.
func checkPIDLimit(kernel string) sandbox.Check {
	if hasPIDMaxPerNamespace(kernel) {
		return sandbox.Check{Name: "process limit", OK: true, Detail: kernel + " has one for each PID namespace"}
	}
	return sandbox.Check{
		Name: "process limit", Detail: kernel + " has none for a PID namespace: how a target copes without processes to spare stays unknown there",
		Advice: "run Linux 6.14 or newer, or in docker as root",
	}
}
