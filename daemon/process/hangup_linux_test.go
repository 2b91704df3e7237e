package process

import (
	"context"
	"fmt"
	"os/exec"
	"syscall"
	"testing"
	"time"
)

// BenchmarkHangUp is what it takes to end 300 commands whose clients have gone,
// beside 2,000 other processes: by the children that the kernel names, and by
// walks over the whole table. The two are compared within one run.
func BenchmarkHangUp(b *testing.B) {
	const commands, others = 300, 2000
	startOthers(b, others)
	x := newExecutor(b, "registry", Options{})
	named, walked := time.Duration(0), time.Duration(0)
	for b.Loop() {
		named += hangUp(b, x, commands)
		undo := walkTheTable()
		walked += hangUp(b, x, commands)
		undo()
	}
	b.ReportMetric(named.Seconds()*1000/float64(b.N), "named-ms/op")
	b.ReportMetric(walked.Seconds()*1000/float64(b.N), "walked-ms/op")
	b.ReportMetric(walked.Seconds()/named.Seconds(), "walked/named")
}

// startOthers starts n processes that are nobody's command.
func startOthers(tb testing.TB, n int) {
	tb.Helper()
	cmd := exec.Command("/bin/sh", "-c", fmt.Sprintf("i=0; while [ $i -lt %d ]; do sleep 600 & i=$((i+1)); done; echo; wait", n))
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	out, err := cmd.StdoutPipe()
	if err != nil {
		tb.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		cmd.Wait()
	})
	if _, err := out.Read(make([]byte, 1)); err != nil {
		tb.Fatal(err)
	}
}

// hangUp has n clients hang up at once and says how long it takes until all their
// commands have been reaped.
func hangUp(tb testing.TB, x *Executor, n int) time.Duration {
	tb.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{}, n)
	for range n {
		go func() {
			x.Execute(ctx, Request{Command: "exec sleep 600"})
			done <- struct{}{}
		}()
	}
	registered := func() int { return x.Strategy().Counts().Registered }
	awaitCount(tb, n, "commands registered", registered)
	began := time.Now()
	cancel()
	for range n {
		<-done
	}
	awaitCount(tb, 0, "commands registered", registered)
	return time.Since(began)
}

func awaitCount(tb testing.TB, want int, what string, now func() int) {
	tb.Helper()
	eventually(tb, fmt.Sprint(want, " ", what), func() string {
		if n := now(); n != want {
			return fmt.Sprint(n)
		}
		return ""
	})
}
