package main

import (
	"fmt"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A server's Shutdown waits for a connection on which a byte has come. docker stop sends
// SIGKILL after ten seconds.
func TestAClientInTheMiddleDoesNotHoldUpSIGTERM(t *testing.T) {
	d := start(t, buildPlain)
	conn, err := net.Dial("tcp", strings.TrimPrefix(d.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprint(conn, "POST /process/execute HTTP/1.1\r\nHost: d\r\nContent-Length: 100\r\n\r\n{")
	if _, status := d.execute("true"); status != 200 { // the byte has come before this
		t.Fatalf("status %d", status)
	}
	told := time.Now()
	d.cmd.Process.Signal(syscall.SIGTERM)
	<-d.done
	if took := time.Since(told); took > 10*time.Second || d.cmd.ProcessState.ExitCode() != 0 {
		t.Errorf("%v after %v", d.cmd.ProcessState, took)
	}
}
