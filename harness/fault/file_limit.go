package fault

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"sync"

	"golang.org/x/sys/unix"

	"github.com/reapcheck/reapcheck/harness/probe"
	"github.com/reapcheck/reapcheck/harness/sandbox"
)

// FileLimit takes PID 1's open files away: of every two bursts of requests the second
// meets a target that may open few more, a different number each time, and every
// second such burst finds clients there that have used them up.
//
// A command takes part by writing something. A hit is one that was asked for under
// the limit and wrote nothing.
type FileLimit struct {
	// Burst is how many requests are sent at once.
	Burst int
}

// mostSpare is how many files a start needs at most, with those of its output.
const mostSpare = 8

// Name says what happens.
func (FileLimit) Name() string { return "no more open files in every second burst" }

// Prepare asks for nothing: the sandbox is asked when there is one.
func (FileLimit) Prepare(*sandbox.Spec) error { return nil }

// Under says whether a trial meets the limit.
func (l FileLimit) Under(index int) bool { return index/l.Burst%2 == 1 }

// Arm declines where this process may not set another one's limits (prlimit(2)).
func (l FileLimit) Arm(_ context.Context, sb sandbox.Sandbox) (Armed, error) {
	armed := &armedFiles{FileLimit: l, sandbox: sb}
	if sb.PID() == 0 {
		return nil, fmt.Errorf("%w: the target's process cannot be seen", ErrDeclined)
	}
	if err := unix.Prlimit(sb.PID(), unix.RLIMIT_NOFILE, nil, &armed.before); err != nil {
		return nil, fmt.Errorf("%w: ask for the target's limit on open files: %w", ErrDeclined, err)
	}
	if err := armed.set(armed.before.Cur); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDeclined, err)
	}
	return armed, nil
}

type armedFiles struct {
	FileLimit
	sandbox sandbox.Sandbox
	before  unix.Rlimit

	mu      sync.Mutex
	begun   int
	limited bool
	clients []net.Conn
	hits    int64
	err     error
}

func (a *armedFiles) set(files uint64) error {
	limit := unix.Rlimit{Cur: files, Max: a.before.Max}
	if err := unix.Prlimit(a.sandbox.PID(), unix.RLIMIT_NOFILE, &limit, nil); err != nil {
		return fmt.Errorf("set the target's limit on open files: %w", err)
	}
	return nil
}

// Before sets or lifts the limit for the first of a burst; the others wait.
func (a *armedFiles) Before(ctx context.Context) {
	a.mu.Lock()
	defer a.mu.Unlock()
	under := a.Under(a.begun)
	burst := a.begun / a.Burst
	a.begun++
	if under == a.limited {
		return
	}
	a.limited = under
	err := a.lift()
	if under {
		err = a.limit(ctx, burst)
	}
	if err != nil && !over(ctx, a.sandbox.Done()) {
		a.err = errors.Join(a.err, err)
	}
}

// limit leaves room for some files, and has clients take them.
func (a *armedFiles) limit(ctx context.Context, burst int) error {
	seen, err := probe.LookAt(a.sandbox.PID())
	if err != nil {
		return err
	}
	spare := burst / 2 % mostSpare
	if err := a.set(uint64(seen.Files + spare)); err != nil || burst/2%2 == 0 {
		return err
	}
	for range spare + 1 {
		conn, err := dial(ctx, a.sandbox)
		if err != nil {
			return err
		}
		a.clients = append(a.clients, conn)
	}
	return nil
}

// dial connects and says nothing.
func dial(ctx context.Context, sb sandbox.Sandbox) (net.Conn, error) {
	address, err := url.Parse(sb.URL())
	if err != nil {
		return nil, err
	}
	return sandbox.Transport(sb).DialContext(ctx, "tcp", address.Host)
}

func (a *armedFiles) lift() error {
	for _, conn := range a.clients {
		_ = conn.Close()
	}
	a.clients = nil
	return a.set(a.before.Cur)
}

// After is called before the next burst begins.
func (a *armedFiles) After(output string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.limited && strings.TrimSpace(output) == "" {
		a.hits++
	}
}

func (a *armedFiles) Hits(context.Context) (int64, string, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.err != nil {
		return a.hits, a.err.Error(), nil
	}
	return a.hits, "", nil
}

// Disarm lifts the limit.
func (a *armedFiles) Disarm(ctx context.Context) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if err := a.lift(); err != nil && !over(ctx, a.sandbox.Done()) {
		return err
	}
	return nil
}
