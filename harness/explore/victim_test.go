package explore

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// idle is never set: who waits for it spins.
var idle atomic.Bool

// toStop tells a victim to stop, which goes on and knows no exit code any more.
var toStop = make(chan os.Signal, 1)

// victim is a daemon that runs commands and misbehaves in one way.
func victim(manner string) {
	if manner == "500 threads" {
		for range 500 {
			var pipe [2]int
			_ = syscall.Pipe2(pipe[:], syscall.O_CLOEXEC)
			go syscall.Read(pipe[0], make([]byte, 1))
		}
	}
	if manner == "behind another" {
		daemon := exec.Command("/proc/self/exe")
		daemon.Env = append(os.Environ(), asVictim+"=sound")
		_ = daemon.Run()
		return
	}
	switch manner {
	case "races":
		go reap()
	case "polls":
		go poll()
	case "forgets":
		signal.Notify(toStop, unix.SIGTERM)
	case "ticks":
		time.AfterFunc(30*time.Second, func() {}) // what it waits for once is no tick
		time.AfterFunc(700*time.Millisecond, func() {})
		go func() {
			for range time.Tick(tick) {
				_ = syscall.Getpid()
			}
		}()
	}
	http.HandleFunc("GET /healthz", func(http.ResponseWriter, *http.Request) {})
	http.HandleFunc("POST /process/execute", func(w http.ResponseWriter, r *http.Request) {
		switch manner {
		case "spins":
			for !idle.Load() { // it is what the test is about
			}
		case "dies":
			os.Exit(3)
		case "traces":
			_ = syscall.PtraceAttach(1 << 22)
		case "says nothing":
			select {}
		}
		var request struct{ Command string }
		_ = json.NewDecoder(r.Body).Decode(&request)
		limited := r.Context()
		if manner == "polls" {
			withTimeout, cancel := context.WithTimeout(limited, shortLimit)
			defer cancel()
			limited = withTimeout
		}
		cmd := exec.CommandContext(limited, "/bin/sh", "-c", request.Command)
		out, _ := cmd.CombinedOutput()
		if manner == "times out" || limited.Err() != nil {
			w.WriteHeader(http.StatusRequestTimeout)
			fmt.Fprint(w, `{"code": "TIMEOUT"}`)
			return
		}
		code := -1
		if cmd.ProcessState != nil && len(toStop) == 0 {
			code = cmd.ProcessState.ExitCode()
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"exitCode": code, "result": string(out)})
	})
	fmt.Fprintln(os.Stderr, http.ListenAndServe("127.0.0.1:2280", nil))
	os.Exit(1)
}

// poll looks for children every few milliseconds, and leaves them to their waiters.
func poll() {
	for {
		const looks = unix.WEXITED | unix.WNOWAIT | unix.WNOHANG
		if unix.Waitid(unix.P_ALL, 0, nil, looks, nil) == unix.ECHILD {
			time.Sleep(50 * time.Millisecond)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// reap takes every child, whoever else waits for it.
func reap() {
	ended := make(chan os.Signal, 1)
	signal.Notify(ended, unix.SIGCHLD)
	for range ended {
		for pid := 1; pid > 0; {
			pid, _ = syscall.Wait4(-1, nil, syscall.WNOHANG, nil)
		}
	}
}
