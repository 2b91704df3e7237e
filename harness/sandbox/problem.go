package sandbox

import (
	"errors"
	"fmt"
	"strings"
	"syscall"
)

// problem is an error whose reader can do something about it.
type problem struct {
	kind   error  // ErrUnavailable or ErrTarget
	doing  string // "reach docker engine at ..."
	cause  error
	advice string // what to do
	log    []byte // what the target or the builder said; only its end is shown
}

// logLines is how much of a log an error text ends with.
const logLines = 20

func (p *problem) Error() string {
	text := fmt.Sprintf("%v: %s: %v: %s", p.kind, p.doing, p.cause, p.advice)
	if len(p.log) > 0 {
		text += "; its last words:\n" + lastLines(p.log, logLines)
	}
	return text
}

// brief is what went wrong, without whose fault it is and what to do.
func (p *problem) brief() string { return p.doing + ": " + p.cause.Error() }

func (p *problem) Unwrap() []error { return []error{p.kind, p.cause} }

// unavailable says that this machine is at fault. A full disk explains itself,
// whatever was being done.
func unavailable(doing string, cause error, advice string) *problem {
	if diskFull(cause) {
		advice = "the engine's disk is full: free space on it, docker system df shows what takes it"
	}
	return &problem{kind: ErrUnavailable, doing: doing, cause: cause, advice: advice}
}

// diskFull recognises ENOSPC. The engine passes on its text only.
func diskFull(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || strings.Contains(err.Error(), syscall.ENOSPC.Error())
}
