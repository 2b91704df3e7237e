package sandbox

import "errors"

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
