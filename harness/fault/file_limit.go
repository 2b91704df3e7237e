package fault

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/reapcheck/reapcheck/harness/probe"
	"github.com/reapcheck/reapcheck/harness/sandbox"
)

// FileLimit takes PID 1's open files away: of every two bursts of requests the first
// meets a target that may open few more, a different number each time, and every
// second such burst finds clients there that have used them up.
//
// A command takes part by writing something. A hit is one that was asked for under
// the limit and wrote nothing, or was answered when the limit had given way.
type FileLimit struct {
	// Burst is how many requests are sent at once.
	Burst int
	// Lasts is for how long a burst meets the limit, at most. A target that has a
	// connection for each request can take none without a file, so whoever asks waits
	// until there is one: for that the limit gives way.
	Lasts time.Duration
}

// mostSpare is how many files a start needs at most, with those of its output. The first burst
// has firstSpare of them: the first client of all is let in, and its command gets none.
const mostSpare, firstSpare = 8, 1

// Name says what happens.
func (FileLimit) Name() string { return "no more open files in every second burst" }

// Prepare asks for nothing: the sandbox is asked when there is one.
func (FileLimit) Prepare(*sandbox.Spec) error { return nil }

// Under says whether a trial meets the limit.
func (l FileLimit) Under(index int) bool { return l.bursts().meet(index) }

func (l FileLimit) bursts() bursts { return bursts{firsts, l.Burst} }

// Inject declines where this process may not set another one's limits (prlimit(2)).
func (l FileLimit) Inject(_ context.Context, sb sandbox.Sandbox) (Injection, error) {
	f := &starving{FileLimit: l, sandbox: sb, bursts: inBursts{bursts: l.bursts()}}
	if sb.PID() == 0 {
		return nil, fmt.Errorf("%w: the target's process cannot be seen", ErrDeclined)
	}
	if err := unix.Prlimit(sandbox.Daemon(sb), unix.RLIMIT_NOFILE, nil, &f.before); err != nil {
		return nil, fmt.Errorf("%w: ask for the target's limit on open files: %w", ErrDeclined, err)
	}
	if err := f.set(f.before.Cur); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDeclined, err)
	}
	return f, nil
}

type starving struct {
	FileLimit
	sandbox sandbox.Sandbox
	before  unix.Rlimit

	bursts  inBursts // which guards what follows
	clients []net.Conn
	gaveWay bool
	end     *time.Timer // of the limit that is set; nil before the first

	count
}

func (f *starving) set(files uint64) error {
	limit := unix.Rlimit{Cur: files, Max: f.before.Max}
	daemon := sandbox.Daemon(f.sandbox)
	if err := unix.Prlimit(daemon, unix.RLIMIT_NOFILE, &limit, nil); err != nil {
		return fmt.Errorf("set the target's limit on open files: %w", err)
	}
	children, _ := probe.Children(daemon) // none where the kernel does not list them
	program := running(daemon)
	for _, pid := range children {
		if program != "" && running(pid) == program {
			_ = unix.Prlimit(pid, unix.RLIMIT_NOFILE, &limit, nil) // it may be gone
		}
	}
	return nil
}

// Before sets or lifts the limit for the first of a burst; the others wait.
func (f *starving) Before(ctx context.Context) {
	f.bursts.Lock()
	defer f.bursts.Unlock()
	burst, changes := f.bursts.next()
	if !changes {
		return
	}
	err := f.lift()
	if f.bursts.on {
		f.gaveWay = false
		f.end = time.AfterFunc(f.Lasts, func() { f.giveWay(burst) })
		err = f.limit(ctx, burst)
	}
	f.fail(unlessOver(ctx, f.sandbox, err))
}

// limit leaves room for some files, and has clients take them.
func (f *starving) limit(ctx context.Context, burst int) error {
	seen, err := probe.LookAt(sandbox.Daemon(f.sandbox))
	if err != nil {
		return err
	}
	spare := (burst/2 + firstSpare) % mostSpare
	if err := f.set(uint64(seen.Files + spare)); err != nil || burst/2%2 == 0 {
		return err
	}
	for range spare + 1 {
		conn, err := dial(ctx, f.sandbox)
		if err != nil {
			return err
		}
		f.clients = append(f.clients, conn)
	}
	return nil
}

// dial connects and says nothing.
func dial(ctx context.Context, sb sandbox.Sandbox) (net.Conn, error) {
	address, err := url.Parse(sb.URL())
	if err != nil || address.Host == "" {
		return nil, fmt.Errorf("the target's address %q is not known", sb.URL())
	}
	return sandbox.Transport(sb).DialContext(ctx, "tcp", address.Host)
}

// giveWay lifts the limit of a burst that has not been answered.
func (f *starving) giveWay(burst int) {
	f.bursts.Lock()
	defer f.bursts.Unlock()
	if !f.bursts.on || f.bursts.last() != burst {
		return
	}
	f.gaveWay = true
	f.fail(unlessOver(context.Background(), f.sandbox, f.lift()))
}

func (f *starving) lift() error {
	if f.end != nil {
		f.end.Stop()
	}
	for _, conn := range f.clients {
		_ = conn.Close()
	}
	f.clients = nil
	return f.set(f.before.Cur)
}

// After is called before the next burst begins.
func (f *starving) After(output string) {
	f.bursts.Lock()
	defer f.bursts.Unlock()
	if f.bursts.on && (f.gaveWay || strings.TrimSpace(output) == "") {
		f.hit()
	}
}

// Undo lifts the limit.
func (f *starving) Undo(ctx context.Context) error {
	f.bursts.Lock()
	defer f.bursts.Unlock()
	return unlessOver(ctx, f.sandbox, f.lift())
}
