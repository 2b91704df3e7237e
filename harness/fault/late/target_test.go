package late

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// mannerOf makes the test binary a target, or a harness that traces the process
// targetOf.
const (
	mannerOf = "REAPCHECK_TEST_MANNER"
	targetOf = "REAPCHECK_TEST_TARGET"
)

var manners = map[string]func(){
	"harness": asHarness, "beside": asBeside, "in vain": asInVain, "commands": asCommands,
	"crowd": asCrowd, "mayflies": asMayflies, "signals": asSignals,
}

func TestMain(m *testing.M) {
	if manner := manners[os.Getenv(mannerOf)]; manner != nil {
		manner()
		return
	}
	os.Exit(m.Run())
}

func lines(f func(line string)) {
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		f(lines.Text())
	}
}

// take starts a child and waits for it by wait4(2), as a reaper does.
func take(running func()) int {
	pid, err := syscall.ForkExec("/bin/sh", []string{"sh", "-c", "exit 3"}, nil)
	if err != nil {
		return -1
	}
	var status syscall.WaitStatus
	for {
		running()
		if _, err := syscall.Wait4(pid, &status, 0, nil); !errors.Is(err, syscall.EINTR) {
			return status.ExitStatus()
		}
	}
}

// asBeside takes a child in a thread of its own, or executes itself in one.
func asBeside() {
	if len(os.Args) > 1 {
		fmt.Println("executed")
	}
	lines(func(line string) {
		switch line {
		case "take":
			running := make(chan struct{}, 1)
			go func() {
				runtime.LockOSThread()
				take(func() {
					select {
					case running <- struct{}{}:
					default:
					}
				})
				fmt.Println("taken")
			}()
			<-running
			waitUntilTaken()
			fmt.Println("taking")
		case "exec":
			go func() {
				runtime.LockOSThread()
				_ = syscall.Exec("/proc/self/exe", []string{"target", "again"}, os.Environ())
			}()
		default:
			fmt.Println("here")
		}
	})
}

// waitUntilTaken returns when this process has no child.
func waitUntilTaken() {
	for range 60000 {
		if unix.Waitid(unix.P_ALL, 0, nil, unix.WEXITED|unix.WNOWAIT|unix.WNOHANG, nil) != nil {
			return
		}
		time.Sleep(time.Millisecond)
	}
}

// asInVain waits for nobody, for a child that runs, and has a child take one.
func asInVain() {
	lines(func(string) {
		gone, _ := syscall.Wait4(-1, nil, 0, nil)
		child := exec.Command("/bin/sh", "-c", "read x; (exit 3); exit $?")
		stdin, _ := child.StdinPipe()
		_ = child.Start()
		none, _ := syscall.Wait4(-1, nil, syscall.WNOHANG, nil)
		stdin.Close()
		_ = child.Wait() // by waitid(2)
		fmt.Println(gone, none, child.ProcessState.ExitCode())
	})
}

func asCommands() {
	lines(func(string) {
		_, err := exec.Command("/bin/sh", "-c", "exit 3").Output()
		fmt.Println(strings.TrimPrefix(fmt.Sprint(err), "exit status "))
	})
}

const crowd = 500

func asCrowd() {
	up := make(chan struct{})
	for i := range crowd {
		go func() {
			runtime.LockOSThread()
			up <- struct{}{}
			for { // some sleep for ever, some come and go
				length := unix.NsecToTimespec(int64(time.Hour))
				if i%10 == 0 {
					length = unix.NsecToTimespec(int64(time.Millisecond))
				}
				_ = unix.Nanosleep(&length, nil)
			}
		}()
	}
	for range crowd {
		<-up
	}
	fmt.Println("ready")
	lines(func(string) { fmt.Println(take(func() {})) })
}

// asMayflies has threads that end at once, and takes each child in a new one.
func asMayflies() {
	ended := make(chan struct{}, 4)
	go func() {
		for {
			ended <- struct{}{}
			go func() {
				runtime.LockOSThread() // the thread ends with the goroutine
				<-ended
			}()
		}
	}()
	fmt.Println("ready")
	lines(func(string) {
		code := make(chan int)
		go func() {
			runtime.LockOSThread()
			code <- take(func() {})
		}()
		fmt.Println(<-code)
	})
}

func asSignals() {
	got := make(chan os.Signal, 1)
	signal.Notify(got, unix.SIGUSR1, unix.SIGCHLD, unix.SIGTERM, unix.SIGHUP)
	fmt.Println("ready")
	for {
		select {
		case sig := <-got:
			fmt.Println(sig)
		case <-time.After(time.Minute): // whoever started this is gone
			return
		}
	}
}
