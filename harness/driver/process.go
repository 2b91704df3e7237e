package driver

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/reapcheck/reapcheck/driver"
	"github.com/reapcheck/reapcheck/harness/sandbox"
)

// Limits on a driver. None has to do with the target, and each is far above what a
// program needs on a busy machine.
var (
	// startLimit bounds its start until its hello, with an interpreter's imports.
	startLimit = time.Minute
	// pingLimit bounds its answer to a ping.
	pingLimit = time.Minute
	// closeLimit is how long it may take to end when the gate has no more to say.
	closeLimit = 2 * time.Second
)

// Process is a driver at work. It may be used by many goroutines.
type Process struct {
	place  Place
	line   []string
	child  *child
	stderr *sandbox.LogTail
	hello  driver.FromDriver
	most   int // bytes of a command's output

	queue   chan []byte    // lines for the driver
	closing chan struct{}  // the gate has no more to say
	shut    func()         // closes closing, once
	down    chan struct{}  // closed when broken is set
	working sync.WaitGroup // the reader and the writer

	mu     sync.Mutex
	broken error
	last   int64 // ID
	calls  map[int64]*call
	left   map[int64]bool // nobody waits for their answers any more
}

// call waits for what the driver says of one ID.
type call struct {
	wants  string // the type of the message that ends it
	sent   chan struct{}
	answer chan said // has room for one
}

// said is a message and its line.
type said struct {
	driver.FromDriver
	line []byte
}

// Start starts a driver at a place and waits for its hello. inFlight is how many commands
// will be asked for at a time. The error is ErrDriver, or the cause of ctx's end.
func Start(ctx context.Context, line []string, place Place, inFlight int) (*Process, error) {
	p := &Process{
		place: place, line: line, most: share(inFlight), stderr: &sandbox.LogTail{Limit: stderrLimit},
		queue: make(chan []byte), closing: make(chan struct{}), down: make(chan struct{}),
		calls: map[int64]*call{}, left: map[int64]bool{},
	}
	p.shut = sync.OnceFunc(func() { close(p.closing) })
	var err error
	if p.child, err = startChild(line, place, p.stderr); err != nil {
		return nil, fmt.Errorf("%w: start %s: %w", ErrDriver, line[0], err)
	}
	hello := make(chan driver.FromDriver, 1)
	p.working.Go(func() { p.read(hello) })
	p.working.Go(p.write)
	if err := p.greet(ctx, hello); err != nil {
		return nil, errors.Join(err, p.Close())
	}
	return p, nil
}

// stderrLimit is what is kept of a driver's standard error. An error shows its end.
const stderrLimit = 64 << 10

// The outputs of all commands in flight share maxOutputs, and each may have minOutput.
const (
	maxOutputs = 128 << 20
	minOutput  = 1 << 20
)

func share(inFlight int) int { return max(minOutput, maxOutputs/max(1, inFlight)) }

// Ask starts a driver without any target, to learn what it can do.
func Ask(ctx context.Context, line []string) (driver.FromDriver, error) {
	p, err := Start(ctx, line, Place{}, 1)
	if err != nil {
		return driver.FromDriver{}, err
	}
	return p.hello, p.Close()
}

func (p *Process) greet(ctx context.Context, hello <-chan driver.FromDriver) error {
	m := driver.FromGate{Type: driver.TypeHello, Protocol: driver.Protocol, MaxOutput: p.most}
	if at := p.place.Target; at != (driver.Target{}) {
		m.Target = &at
	}
	limited, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	_ = p.send(limited, m) // what keeps it from being sent shows below
	select {
	case p.hello = <-hello:
		return nil
	case <-p.down:
		return p.Problem()
	case <-limited.Done():
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	p.fail(fmt.Errorf("a hello expected within %v, nothing came%s", startLimit, p.saidOnStderr()))
	return p.Problem()
}

// Hello is what the driver said of itself.
func (p *Process) Hello() driver.FromDriver { return p.hello }

// Problem says why the driver can do no more; nil as a rule.
func (p *Process) Problem() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.broken
}

// fail takes the driver out of use. What it said before still holds.
func (p *Process) fail(why error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	select {
	case <-p.closing:
		return // its end is wanted
	default:
	}
	if p.broken == nil {
		p.broken = fmt.Errorf("%w: %s: %w", ErrDriver, p.line[0], why)
		close(p.down)
	}
}

// Idle has nothing to let go of between two turns.
func (p *Process) Idle() {}

// Close tells the driver to end, ends it if it does not, and returns when nothing of it
// is left. What is in flight is given up.
func (p *Process) Close() error {
	p.shut()
	timer := time.NewTimer(closeLimit)
	defer timer.Stop()
	select {
	case <-p.child.ended:
	case <-timer.C:
		p.child.kill()
		<-p.child.ended
	}
	p.child.release()
	p.working.Wait()
	return nil
}

// write hands the lines over. A driver that does not read keeps it here until the driver
// is ended.
func (p *Process) write() {
	defer p.child.in.Close()
	for {
		select {
		case line := <-p.queue:
			if _, err := p.child.in.Write(line); err != nil {
				return // its end shows at the reader
			}
		case <-p.closing:
			return
		}
	}
}

// errSilent means that a message could not be handed over in time.
var errSilent = errors.New("the driver does not read")

func (p *Process) send(ctx context.Context, m driver.FromGate) error {
	line, err := json.Marshal(m)
	if err != nil {
		return err
	}
	select {
	case p.queue <- append(line, '\n'):
		return nil
	case <-p.down:
		return p.Problem()
	case <-p.closing:
		return os.ErrClosed
	case <-ctx.Done():
		return errSilent
	}
}

// open gives out an ID, under which a message of that type is awaited.
func (p *Process) open(wants string) (int64, *call) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.last++
	c := &call{wants: wants, sent: make(chan struct{}), answer: make(chan said, 1)}
	p.calls[p.last] = c
	return p.last, c
}

// leave gives up waiting for an ID. It reports false where the answer is there already.
func (p *Process) leave(id int64) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.calls[id] == nil {
		return false
	}
	delete(p.calls, id)
	p.left[id] = true
	return true
}

// settle returns when the driver has read all that was sent to it before. One that is
// not able to say so in time hangs, which takes it out of use.
func (p *Process) settle(ctx context.Context) error {
	limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), pingLimit)
	defer cancel()
	id, c := p.open(driver.TypePong)
	err := p.send(limited, driver.FromGate{Type: driver.TypePing, ID: id})
	if err == nil {
		select {
		case <-c.answer:
			return nil
		case <-p.down:
			return p.Problem()
		case <-p.closing:
			return os.ErrClosed
		case <-limited.Done():
			err = errSilent
		}
	}
	if errors.Is(err, errSilent) {
		p.fail(fmt.Errorf("it hangs: an answer to a ping expected within %v, nothing came%s", pingLimit,
			p.saidOnStderr()))
		return p.Problem()
	}
	return err
}

// Stderr is the end of what the driver has written on its standard error, at most 600 bytes.
// All of it has been read once Close has returned.
func (p *Process) Stderr() string {
	const shown = 600
	text := strings.TrimSpace(string(p.stderr.Bytes()))
	return text[max(0, len(text)-shown):]
}

// saidOnStderr is the same as part of a sentence.
func (p *Process) saidOnStderr() string {
	text := p.Stderr()
	if text == "" {
		return ""
	}
	return "; it wrote on standard error: " + text
}
