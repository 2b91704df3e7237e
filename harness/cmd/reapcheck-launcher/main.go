// Command reapcheck-launcher goes in front of a target inside a sandbox and
// becomes it. It is not for people: package launcher says what it does.
package main

import (
	"os"

	"github.com/reapcheck/reapcheck/harness/launcher"
)

func main() { os.Exit(launcher.Main(os.Args)) }
