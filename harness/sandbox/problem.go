package sandbox

import (
	"errors"
	"fmt"
	"strings"
	"syscall"
)

// Problem is an error whose reader can do something about it.
type Problem struct {
	Kind   error  // ErrUnavailable or ErrTarget
	Doing  string // "reach docker engine at ..."
	Cause  error
	Advice string // what to do
	Log    []byte // what the target or the builder said; only its end is shown
}

// logLines is how much of a log an error text ends with.
const logLines = 20

func (p *Problem) Error() string {
	text := fmt.Sprintf("%v: %s: %v: %s", p.Kind, p.Doing, p.Cause, p.Advice)
	if len(p.Log) > 0 {
		text += "; its last words:\n" + lastLines(p.Log, logLines)
	}
	return text
}

// Brief is what went wrong, without whose fault it is and what to do.
func (p *Problem) Brief() string { return p.Doing + ": " + p.Cause.Error() }

func (p *Problem) Unwrap() []error { return []error{p.Kind, p.Cause} }

// Unavailable says that this machine is at fault. A full disk explains itself,
// whatever was being done.
func Unavailable(doing string, cause error, advice string) *Problem {
	if diskFull(cause) {
		advice = "the engine's disk is full: free space on it, docker system df shows what takes it"
	}
	return &Problem{Kind: ErrUnavailable, Doing: doing, Cause: cause, Advice: advice}
}

// diskFull recognises ENOSPC. The engine passes on its text only.
func diskFull(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || strings.Contains(err.Error(), syscall.ENOSPC.Error())
}

// Check is one thing that the sandboxes need of this machine.
type Check struct {
	Name string
	OK   bool
	// Required means that without it nothing runs; the others narrow what does.
	Required bool
	// Detail says what was found.
	Detail string
	// Advice says what to do; empty where OK.
	Advice string
}

// VerdictOn is a check that is required.
func VerdictOn(name, detail string, err error) Check {
	if err == nil {
		return Check{Name: name, OK: true, Required: true, Detail: detail}
	}
	var p *Problem
	if errors.As(err, &p) {
		return Check{Name: name, Required: true, Detail: p.Brief(), Advice: p.Advice}
	}
	return Check{Name: name, Required: true, Detail: err.Error()}
}
