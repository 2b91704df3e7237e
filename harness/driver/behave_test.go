package driver

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"testing"
	"time"

	"github.com/reapcheck/reapcheck/driver"
)

// The test binary is a driver where this variable names its manner.
const mannerOf = "REAPCHECK_TEST_DRIVER"

func TestMain(m *testing.M) {
	if manner, ok := os.LookupEnv(mannerOf); ok {
		behave(manner)
		return
	}
	os.Exit(m.Run())
}

// behave is the driver.
func behave(kind string) {
	if kind == "works" {
		_ = driver.Run(context.Background(), worker(), os.Stdin, os.Stdout)
		return
	}
	from := newLines()
	from.next() // the gate's hello
	if kind == "sleeps" {
		time.Sleep(time.Hour)
	}
	fmt.Println(greeting)
	misbehave(kind, from)
}

func misbehave(kind string, from *lines) {
	switch kind {
	case "deaf": // it reads no more
		time.Sleep(time.Hour)
	case "mute":
		for from.next() != "" {
		}
	case "stays":
		child := exec.Command("sleep", "3600")
		if err := child.Start(); err != nil {
			panic(err)
		}
		pids := fmt.Sprint(os.Getpid(), " ", child.Process.Pid)
		if err := os.WriteFile(os.Getenv("PIDS"), []byte(pids), 0o644); err != nil {
			panic(err)
		}
		fmt.Println(`{"type":"pong","id":1}`) // after which it must not be waited for
		time.Sleep(time.Hour)
	case "late":
		from.next()
		from.next() // abandon
		from.next() // ping
		fmt.Printf(`{"type":"answer","id":1,"exitCode":0}` + "\n" + `{"type":"pong","id":2}` + "\n")
		from.next() // another command
		fmt.Println(`{"type":"answer","id":1,"exitCode":0}`)
		from.next()
	case "sent":
		from.next()
		time.Sleep(100 * time.Millisecond)
		fmt.Println(`{"type":"sent","id":1}`)
		from.next() // abandon
		from.next() // ping
		fmt.Println(`{"type":"pong","id":2}`)
		from.next()
	}
}

// lines are those of the gate.
type lines struct{ buf [1]byte }

func newLines() *lines { return &lines{} }

// next is empty at the end.
func (l *lines) next() string {
	var line []byte
	for {
		if n, err := os.Stdin.Read(l.buf[:]); n == 0 || err != nil {
			return ""
		}
		if l.buf[0] == '\n' {
			return string(line)
		}
		line = append(line, l.buf[0])
	}
}

// worker gives back the number that it is sent as an exit code, and waits for who says so.
func worker() driver.Driver {
	killed := make(chan int, 1)
	return driver.Driver{
		Name: "worker", Can: []string{driver.CanOutput, driver.CanAbandon, driver.CanKill},
		Execute: func(ctx context.Context, _ driver.Target, r driver.Request) driver.Answer {
			driver.Sent(ctx)
			if r.Script != "wait" {
				code, _ := strconv.Atoi(r.Script)
				return driver.Exit(code, nil)
			}
			select {
			case signal := <-killed:
				return driver.Answer{Signal: signal}
			case <-ctx.Done():
				return driver.Say(driver.Error, "nobody waits")
			}
		},
		Kill: func(_ driver.Target, _ driver.Request, signal int) error {
			killed <- signal
			return nil
		},
	}
}
