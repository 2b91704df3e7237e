package driver_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/reapcheck/reapcheck/driver"
)

func messages(t *testing.T, which string) *jsonschema.Schema {
	t.Helper()
	parsed, err := jsonschema.UnmarshalJSON(bytes.NewReader(driver.Schema))
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource("messages.json", parsed); err != nil {
		t.Fatal(err)
	}
	return compiler.MustCompile("messages.json#/$defs/" + which)
}

func valid(t *testing.T, schema *jsonschema.Schema, line string) error {
	t.Helper()
	value, err := jsonschema.UnmarshalJSON(strings.NewReader(line))
	if err != nil {
		t.Fatal(err)
	}
	return schema.Validate(value)
}

// Both ends are as the schema says, which is what a driver in another language goes by.
func TestTheMessagesAreAsTheSchemaSays(t *testing.T) {
	from := messages(t, "fromGate")
	gate := []driver.FromGate{
		{Type: driver.TypeHello, Protocol: driver.Protocol, MaxOutput: 1,
			Target: &driver.Target{URL: "u", Host: "h", Port: 1, PID: 2, Container: "c",
				Root: "/proc/2/root"}},
		{Type: driver.TypeReady, ID: 1},
		{Type: driver.TypePing, ID: 2},
		{Type: driver.TypeExecute, ID: 3,
			Request: driver.Request{Script: "s", Argv: []string{"s"}, Cwd: "/",
				Env: map[string]string{"A": "b"}, TimeoutMs: 5, Stdin: "in"}},
		{Type: driver.TypeKill, ID: 3, Signal: 9},
		{Type: driver.TypeAbandon, ID: 3},
	}
	var input bytes.Buffer
	for _, m := range gate {
		line, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		if err := valid(t, from, string(line)); err != nil {
			t.Errorf("%s: %v", line, err)
		}
		input.Write(append(line, '\n'))
	}
	var output bytes.Buffer
	d := driver.Driver{Name: "test", Can: []string{driver.CanOutput, driver.CanReady},
		Execute: obedient}
	if err := driver.Run(t.Context(), d, &input, &output); err != nil {
		t.Fatal(err)
	}
	to := messages(t, "fromDriver")
	said := strings.Split(strings.TrimSpace(output.String()), "\n")
	if len(said) != 5 { // hello, ready, pong, sent, answer
		t.Errorf("said %q", said)
	}
	for _, line := range said {
		if err := valid(t, to, line); err != nil {
			t.Errorf("%s: %v", line, err)
		}
	}
	for _, wrong := range []string{
		`{"type":"answer","id":1}`, `{"type":"answer","id":1,"exitCode":0,"word":"timeout"}`,
		`{"type":"bye"}`,
		`{"type":"hello","protocol":1}`, `{"type":"answer","id":1,"exitCode":0,"exit":1}`,
	} {
		if valid(t, to, wrong) == nil {
			t.Errorf("the schema lets %s pass", wrong)
		}
	}
}

// obedient ends when its client goes, or at once with bytes that are no text.
func obedient(ctx context.Context, at driver.Target, r driver.Request) driver.Answer {
	driver.Sent(ctx)
	return driver.Exit(3, []byte("\xff"+at.Host+r.Stdin))
}

func TestAnAbandonedCommandsContextEnds(t *testing.T) {
	fromGate, gate := io.Pipe()
	answers, toGate := io.Pipe()
	asked := make(chan struct{})
	d := driver.Driver{Name: "test",
		Execute: func(ctx context.Context, _ driver.Target, _ driver.Request) driver.Answer {
			close(asked)
			<-ctx.Done()
			return driver.Say(driver.Error, "gone")
		}}
	ended := make(chan error, 1)
	go func() { ended <- driver.Run(t.Context(), d, fromGate, toGate) }()
	lines := bufio.NewScanner(answers)
	write := func(line string) {
		if _, err := io.WriteString(gate, line+"\n"); err != nil {
			t.Error(err)
		}
	}
	write(`{"type":"hello","protocol":1,"maxOutput":10}`)
	lines.Scan()
	write(`{"type":"execute","id":1,"script":"x","argv":["x"]}`)
	<-asked
	write(`{"type":"abandon","id":1}`)
	if lines.Scan(); !strings.Contains(lines.Text(), `"word":"error"`) {
		t.Errorf("got %s", lines.Text())
	}
	gate.Close()
	select {
	case err := <-ended:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(10 * time.Second):
		t.Error("the end of the driver expected within 10 s of the end of its input, it still runs")
	}
}

func TestALongOutputIsNotSent(t *testing.T) {
	input := `{"type":"hello","protocol":1,"maxOutput":10}` + "\n" +
		`{"type":"execute","id":1,"script":"x","argv":["x"]}`
	var output bytes.Buffer
	d := driver.Driver{Name: "test",
		Execute: func(context.Context, driver.Target, driver.Request) driver.Answer {
			return driver.Exit(0, bytes.Repeat([]byte("x"), 11))
		}}
	if err := driver.Run(t.Context(), d, strings.NewReader(input), &output); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(output.String(), "11 bytes of output are more than 10") {
		t.Errorf("got %s", &output)
	}
}

func TestAGateOfAnotherTimeIsRefused(t *testing.T) {
	for _, input := range []string{`{"type":"hello","protocol":2}`, `{"type":"dance"}`, `rubbish`} {
		err := driver.Run(t.Context(), driver.Driver{}, strings.NewReader(input), io.Discard)
		if err == nil {
			t.Errorf("%s: no error", input)
		}
	}
}
