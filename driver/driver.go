// Package driver is for a driver: a program that asks a daemon to execute commands, where
// no dialect can. `reapcheck gate --driver` starts it and talks to it in JSON Lines on its
// standard input and output. Run is the front door, and a driver is one function:
//
//	func main() {
//		driver.Main(driver.Driver{Name: "mine", Can: []string{driver.CanOutput}, Execute: execute})
//	}
//
//	func execute(ctx context.Context, at driver.Target, r driver.Request) driver.Answer {
//		...
//		return driver.Exit(code, output)
//	}
//
// The package imports the standard library alone. docs/drivers.md says what the messages
// mean to a driver in another language, and Schema says it to a program.
package driver

import (
	"bufio"
	"context"
	_ "embed"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"unicode/utf8"
)

// Schema is the JSON Schema of the messages.
//
//go:embed messages.schema.json
var Schema []byte

// Driver is what a driver does. Name and Execute must be set.
type Driver struct {
	Name string
	// Can is what Execute and the other functions make of their requests; see CanOutput
	// and the others.
	Can []string
	// Execute asks the target for one command. It is called for many at a time. Its
	// context ends when the gate abandons the command, which then wants no answer.
	Execute func(ctx context.Context, at Target, r Request) Answer
	// Ready says why the target takes no commands yet; needed for CanReady.
	Ready func(ctx context.Context, at Target) error
	// Kill sends a signal to the command of a request; needed for CanKill.
	Kill func(at Target, r Request, signal int) error
}

// Main runs the driver on the program's standard input and output, and exits with 1
// after an error.
func Main(d Driver) {
	if err := Run(context.Background(), d, os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "driver:", err)
		os.Exit(1)
	}
}

// running is a driver at work.
type running struct {
	Driver
	target Target
	most   int

	writing sync.Mutex
	out     *json.Encoder
	failed  error // of the first write that failed

	mu       sync.Mutex
	requests map[int64]Request
	cancels  map[int64]context.CancelFunc
}

// Run reads from the gate and writes to it until the gate has no more to say, and
// returns when all functions have returned.
func Run(ctx context.Context, d Driver, from io.Reader, to io.Writer) error {
	ctx, stop := context.WithCancel(ctx)
	x := &running{Driver: d, out: json.NewEncoder(to), requests: map[int64]Request{},
		cancels: map[int64]context.CancelFunc{}}
	x.out.SetEscapeHTML(false)
	var asked sync.WaitGroup
	defer asked.Wait()
	defer stop()
	lines := json.NewDecoder(bufio.NewReader(from))
	for {
		var m FromGate
		if err := lines.Decode(&m); errors.Is(err, io.EOF) {
			return x.wroteAll()
		} else if err != nil {
			return fmt.Errorf("read from the gate: %w", err)
		}
		if err := x.take(ctx, &asked, m); err != nil {
			return err
		}
	}
}

// take does what one message asks for.
func (x *running) take(ctx context.Context, asked *sync.WaitGroup, m FromGate) error {
	switch m.Type {
	case TypeHello:
		return x.hello(m)
	case TypePing:
		x.say(FromDriver{Type: TypePong, ID: m.ID})
	case TypeReady:
		asked.Go(func() { x.ready(ctx, m.ID) })
	case TypeExecute:
		ctx = x.begin(ctx, m)
		asked.Go(func() { x.execute(ctx, m) })
	case TypeAbandon:
		x.abandon(m.ID)
	case TypeKill:
		asked.Go(func() { x.kill(m) })
	default:
		return fmt.Errorf("unknown message %q from the gate", m.Type)
	}
	return nil
}

func (x *running) hello(m FromGate) error {
	if m.Protocol != Protocol {
		return fmt.Errorf("the gate speaks protocol %d, this driver %d", m.Protocol, Protocol)
	}
	x.most = m.MaxOutput
	if m.Target != nil {
		x.target = *m.Target
	}
	x.say(FromDriver{Type: TypeHello, Protocol: Protocol, Name: x.Name, Can: x.Can})
	return nil
}

func (x *running) ready(ctx context.Context, id int64) {
	m := FromDriver{Type: TypeReady, ID: id, Ready: true}
	if x.Ready != nil {
		if err := x.Ready(ctx, x.target); err != nil {
			m.Ready, m.Message = false, err.Error()
		}
	}
	x.say(m)
}

// begin knows a command before the next message is read, which may be about it.
func (x *running) begin(ctx context.Context, m FromGate) context.Context {
	x.mu.Lock()
	defer x.mu.Unlock()
	ctx, x.cancels[m.ID] = context.WithCancel(context.WithValue(ctx, sentKey{}, func() {
		x.say(FromDriver{Type: TypeSent, ID: m.ID})
	}))
	x.requests[m.ID] = m.Request
	return ctx
}

func (x *running) execute(ctx context.Context, m FromGate) {
	answer := x.Execute(ctx, x.target, m.Request)
	x.abandon(m.ID)
	x.mu.Lock()
	delete(x.requests, m.ID)
	delete(x.cancels, m.ID)
	x.mu.Unlock()
	if n := max(len(answer.Output), len(answer.OutputBase64)/4*3); x.most > 0 && n > x.most {
		answer = Say(Error, fmt.Sprintf("%d bytes of output are more than %d", n, x.most))
	}
	x.say(FromDriver{Type: TypeAnswer, ID: m.ID, Answer: answer})
}

func (x *running) abandon(id int64) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if cancel := x.cancels[id]; cancel != nil {
		cancel()
	}
}

// kill is for a command that may have ended by now, which is no error.
func (x *running) kill(m FromGate) {
	x.mu.Lock()
	r, there := x.requests[m.ID]
	x.mu.Unlock()
	if !there || x.Kill == nil {
		return
	}
	if err := x.Kill(x.target, r, m.Signal); err != nil {
		fmt.Fprintf(os.Stderr, "kill command %d: %v\n", m.ID, err)
	}
}

func (x *running) say(m FromDriver) {
	x.writing.Lock()
	defer x.writing.Unlock()
	if err := x.out.Encode(m); err != nil && x.failed == nil {
		x.failed = err
	}
}

func (x *running) wroteAll() error {
	x.writing.Lock()
	defer x.writing.Unlock()
	if x.failed != nil {
		return fmt.Errorf("write to the gate: %w", x.failed)
	}
	return nil
}

// sentKey is that of the function behind Sent in a context.
type sentKey struct{}

// Sent tells the gate that the target has been asked for the command of this context. A
// client that is to go away a moment later is patient from then on, and not from the
// moment at which the driver was asked.
func Sent(ctx context.Context) {
	if sent, ok := ctx.Value(sentKey{}).(func()); ok {
		sent()
	}
}

// With returns the answer with what the command wrote, byte by byte.
func (a Answer) With(output []byte) Answer {
	a.Output, a.OutputBase64 = string(output), ""
	if !plain(output) {
		a.Output, a.OutputBase64 = "", base64.StdEncoding.EncodeToString(output)
	}
	return a
}

// plain says whether a text is hardly longer in JSON.
func plain(text []byte) bool {
	if !utf8.Valid(text) {
		return false
	}
	for _, b := range text {
		if b < ' ' && b != '\n' && b != '\t' && b != '\r' {
			return false
		}
	}
	return true
}
