package client

import (
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/coder/websocket"

	"github.com/reapcheck/reapcheck/harness/trial"
)

const (
	isTooLong = "longer than 2 MiB"
	tooMany   = "more values than there is room for"
)

// A target that writes without end takes bounded memory, be it much text or many values,
// and is told so at once.
func TestAnswersWithoutEnd(t *testing.T) {
	const (
		inFlight = 64 // 2 MiB for each answer
		inLines  = "{\"code\": 0}\n"
		inEvents = "data: {\"code\": 0}\n\n"
	)
	inMessages := envelope(0, `{"code":0}`)
	text := strings.Repeat("x", 1000)
	for name, c := range map[string]struct{ form, first, again, want string }{
		"json":           {"json", `{"code": 0, "output": "`, text, isTooLong},
		"text":           {"text", "", text, isTooLong},
		"a line":         {"json-lines", `{"code": 0, "output": "`, text, isTooLong},
		"lines":          {"json-lines", inLines, `{"output":"` + text + `"}` + "\n", isTooLong},
		"small lines":    {"json-lines", inLines, "1\n", tooMany},
		"objects":        {"json-lines", inLines, "{}\n", tooMany},
		"empty lines":    {"json-lines", inLines, "\n", isTooLong},
		"events":         {"sse", inEvents, "data: " + text + "\n\n", isTooLong},
		"empty events":   {"sse", inEvents, "data\n\n", tooMany},
		"an event":       {"sse", inEvents, "data: " + text + "\n", isTooLong},
		"comments":       {"sse", inEvents, ": still here\n\n", isTooLong},
		"messages":       {"connect", inMessages, envelope(0, `{"output":"`+text[:200]+`"}`), isTooLong},
		"a long message": {"connect", "\x00\xff\xff\xff\xff", text, isTooLong},
		"small messages": {"connect", inMessages, envelope(0, `{}`), tooMany},
		"an error, then": {"json", "", base64.StdEncoding.EncodeToString([]byte(text)), isTooLong},
	} {
		t.Run(name, func(t *testing.T) {
			place := "/code"
			if c.form == "text" {
				place = `{at: "", as: text}`
			}
			chunk := strings.Repeat(c.again, 1+32<<10/len(c.again))
			var wrote atomic.Int64
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			got := execute(t, fmt.Sprintf(streamed, c.form, place), func(w http.ResponseWriter,
				_ *http.Request) {
				if strings.HasPrefix(name, "an error") {
					w.WriteHeader(http.StatusInternalServerError)
				}
				say(w, c.first)
				for wrote.Load() < 1<<30 {
					n, err := io.WriteString(w, chunk)
					if wrote.Add(int64(n)); err != nil {
						return
					}
				}
			}, late, inFlight)
			runtime.ReadMemStats(&after)
			if got.Known || got.Hung || !strings.Contains(got.Message, c.want) {
				t.Errorf("got %+v", clipped(got))
			}
			if took := (after.TotalAlloc - before.TotalAlloc) >> 20; took > 128 || wrote.Load() == 1<<30 {
				t.Errorf("%d MiB were allocated for 2 MiB, of %d that were written", took, wrote.Load()>>20)
			}
		})
	}
}

func clipped(a trial.Answer) trial.Answer {
	a.Output = fmt.Sprint(len(a.Output), " bytes")
	return a
}

// One document of many small values takes more memory than its text says.
func TestDocumentsOfManyValues(t *testing.T) {
	const inFlight = 64
	for _, again := range []string{"0,", "{},", "[],", `"",`, `{"a":0},`} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		body := `{"code": 0, "rest": [` + strings.Repeat(again, 2<<20/len(again)-100) + "0]}"
		got := execute(t, fmt.Sprintf(streamed, "json", "/code"),
			func(w http.ResponseWriter, _ *http.Request) { say(w, body) }, late, inFlight)
		runtime.ReadMemStats(&after)
		if got.Known || !strings.Contains(got.Message, tooMany) {
			t.Errorf("%s: %+v", again, clipped(got))
		}
		if took := (after.TotalAlloc - before.TotalAlloc) >> 20; took > 128 {
			t.Errorf("%s: %d MiB were allocated for 2 MiB", again, took)
		}
	}
	// Output that looks like it is none of that.
	output := strings.Repeat(`{[,\"`, 200<<10)
	yaml := fmt.Sprintf(streamed, "json", "/code")
	got := execute(t, yaml, func(w http.ResponseWriter, _ *http.Request) {
		say(w, `{"code": 7, "output": "`+output+`"}`)
	}, late, inFlight)
	if !got.Known || got.Code != 7 {
		t.Errorf("%+v", clipped(got))
	}
}

// A WebSocket that never ends is bounded too, also by messages that hold nothing.
func TestWebSocketsWithoutEnd(t *testing.T) {
	for _, c := range []struct{ message, want string }{
		{strings.Repeat("x", 1000), isTooLong}, {"", tooMany},
	} {
		got := execute(t, overSocket, attachedBy(func(ctx context.Context, conn *websocket.Conn) {
			for conn.Write(ctx, websocket.MessageBinary, []byte(c.message)) == nil {
			}
		}), late, 64)
		if got.Known || got.Hung || !strings.Contains(got.Message, c.want) {
			t.Errorf("%.3q: %+v", c.message, clipped(got))
		}
	}
}
