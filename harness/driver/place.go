// Package driver asks a target to execute commands by a program of somebody else's: a
// driver, which is started once and speaks JSON Lines (Process), or a command line that
// is started for each command (Exec).
//
// Start and NewExec are the front doors. What such a program does wrong is a Problem and
// never an answer, so that nothing is said of the target by it.
package driver

import (
	"errors"
	"fmt"
	"net/url"
	"strconv"

	"github.com/reapcheck/reapcheck/driver"
	"github.com/reapcheck/reapcheck/harness/dialect"
	"github.com/reapcheck/reapcheck/harness/sandbox"
)

// ErrDriver means that whoever speaks to the target did not do its own work.
var ErrDriver = errors.New("the driver failed")

// Place is where a driver runs, and where it finds its target.
type Place struct {
	driver.Target
	// inside calls a function on a thread that is in the target's network.
	inside func(do func() error) error
}

// In is the place of a target in its sandbox.
func In(sb sandbox.Sandbox) Place {
	p := Place{Target: driver.Target{URL: sb.URL(), PID: sb.PID()}}
	if p.PID > 0 {
		p.Root = fmt.Sprintf("/proc/%d/root", p.PID)
	}
	at, _ := sb.(sandbox.AtSocket)
	u, err := url.Parse(p.URL)
	switch {
	case at != nil && at.Socket() != "":
		p.Socket = p.Root + at.Socket()
		p.URL = "unix://" + p.Socket
	case err != nil:
	case u.Scheme == "unix":
		p.Socket = u.Path
	default:
		p.Host = u.Hostname()
		p.Port, _ = strconv.Atoi(dialect.PortOf(u))
	}
	if c, ok := sb.(sandbox.Contained); ok {
		p.Container = c.ContainerID()
	}
	if n, ok := sb.(sandbox.Networked); ok {
		p.inside = n.Inside
	}
	return p
}

// do calls a function where the driver is to run.
func (p Place) do(f func() error) error {
	if p.inside == nil {
		return f()
	}
	return p.inside(f)
}

// environment is what a driver is told of its target beside the hello.
func (p Place) environment() []string {
	var all []string
	for _, v := range []struct{ name, value string }{
		{"URL", p.URL},
		{"HOST", p.Host},
		{"PORT", number(p.Port)},
		{"SOCKET", p.Socket},
		{"PID", number(p.PID)},
		{"CONTAINER", p.Container},
		{"ROOT", p.Root},
	} {
		all = append(all, "REAPCHECK_TARGET_"+v.name+"="+v.value)
	}
	return all
}

func number(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}
