// Package target says what is under test: the reference daemon, or someone's
// binary, image or URL.
//
// Target is data. Find finds or makes the reference daemon, which
// every run has as its baseline. It is run, never imported: the harness
// judges it from outside like any other daemon.
package target

import (
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/reapcheck/reapcheck/harness/dialect"
)

// Target is what is under test. Of Strategy, Binary, Image and URL one is set,
// or none for a Build that has no strategies.
type Target struct {
	// Build is the program of this project that runs; empty means Ordinary.
	Build Build
	// Strategy is the reference daemon's.
	Strategy string
	// Binary is the path of a program on this machine.
	Binary string
	// FaultPoints is the path of the same program built with fault points;
	// empty where there is none.
	FaultPoints string
	// Image is a container image; the docker runtime alone can run one.
	Image string
	// URL is the base URL of a target that runs already. Nothing can be
	// injected into it, nor be seen of it but its answers.
	URL string
	// Args follow the binary, or the image's own entry point.
	Args []string
	// Env is added to the target's environment.
	Env map[string]string
	// Dialect is how it is spoken to.
	Dialect dialect.Dialect
	// Driver is the command line of a program that speaks to it, where no dialect can.
	Driver []string
	// Exec is a command line that is started for each command, with placeholders.
	Exec []string
	// GoesAround says that commands enter the sandbox beside the target, which is not
	// their parent.
	GoesAround bool
}

// Strategies are those of the reference daemon.
var Strategies = []string{"none", "reaper-only", "documented", "registry", "subscribed",
	"locked", "peeked", "kernel-held", "init-in-front"}

// Reference is the reference daemon with one of its strategies.
func Reference(strategy string) Target {
	return Target{Strategy: strategy, Dialect: dialect.ProcessExecute()}
}

// Ours says whether the target is a program of this project.
func (t Target) Ours() bool { return t.Binary == "" && t.Image == "" && t.URL == "" }

// Listens says whether it is known where the target takes connections.
func (t Target) Listens() bool {
	return t.URL != "" || t.Dialect.Port > 0 || t.Dialect.Socket != ""
}

// String is what reports call the target.
func (t Target) String() string {
	switch {
	case len(t.Driver) > 0:
		return t.itself() + ", by driver " + strings.Join(t.Driver, " ")
	case len(t.Exec) > 0:
		return t.itself() + ", by " + strings.Join(t.Exec, " ")
	}
	return t.itself()
}

func (t Target) itself() string {
	switch {
	case t.Binary != "":
		return "binary " + strings.Join(append([]string{t.Binary}, t.Args...), " ")
	case t.Image != "":
		return "image " + strings.Join(append([]string{t.Image}, t.Args...), " ")
	case t.URL != "":
		return "url " + t.URL
	}
	return "reference daemon, strategy " + t.Strategy
}

// Check says what is wrong with a foreign target's description.
func (t Target) Check() error {
	given := 0
	for _, s := range []string{t.Binary, t.Image, t.URL} {
		if s != "" {
			given++
		}
	}
	switch u, err := url.Parse(t.URL); {
	case given == 0:
		return errors.New("no target was given: name one by --binary, --image or --url")
	case given > 1:
		return fmt.Errorf(
			"%d targets were given: name one, by --binary, --image or --url", given)
	case t.URL == "":
		return nil
	case len(t.Driver) > 0 || len(t.Exec) > 0: // their own affair
	case err == nil && u.Scheme == "unix" && u.Host == "" && u.Path != "":
		return nil
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "":
		return fmt.Errorf(
			"the URL %q is invalid: give a base such as http://127.0.0.1:2280", t.URL)
	case len(t.Args) > 0 || len(t.Env) > 0:
		return errors.New(
			"a target at a URL runs already: it takes no arguments and no environment")
	}
	return nil
}
