// Command reapcheck-launcher goes in front of a target inside a sandbox and
// becomes it. It is not for people: package launcher says what it does.
package main

import (
	"os"
	"runtime"

	"github.com/reapcheck/reapcheck/harness/launcher"
	// for sandboxes that it starts itself
	_ "github.com/reapcheck/reapcheck/harness/sandbox/namespace/stage"
)

// The filter is to be that of the process's first thread, of which
// /proc/<pid>/status speaks: only in init is it certain to be this one.
func init() { runtime.LockOSThread() }

func main() { os.Exit(launcher.Main(os.Args)) }
