// Command target is the smallest target: a server that is ready at once. Its
// first argument makes it misbehave at start. Under the name front it goes in
// front of another.
package main

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

func main() {
	if filepath.Base(os.Args[0]) == "front" {
		fmt.Println("front", os.Args[1:])
		fmt.Println(syscall.Exec(os.Args[2], os.Args[2:], os.Environ()))
		os.Exit(1)
	}
	fmt.Println("target starts as", os.Getpid(), "GREETING", os.Getenv("GREETING"))
	switch mode, number := argument(1), argument(2); mode {
	case "exit":
		for i := range 30 {
			fmt.Fprintln(os.Stderr, "reason", i+1)
		}
		status, _ := strconv.Atoi(number)
		os.Exit(status)
	case "flood":
		fmt.Print(strings.Repeat("one of many\n", 1<<18), "the last word\n")
		os.Exit(5)
	case "deaf":
		_ = syscall.Pause()
	case "unready":
		http.HandleFunc("/healthz", http.NotFound)
	default:
		http.HandleFunc("/healthz", func(http.ResponseWriter, *http.Request) {})
	}
	http.HandleFunc("/sh", func(w http.ResponseWriter, r *http.Request) {
		cmd := exec.Command("/bin/sh", "-c", r.FormValue("c"))
		out, _ := cmd.CombinedOutput()
		fmt.Fprintf(w, "%d %s", cmd.ProcessState.ExitCode(), out)
	})
	fmt.Fprintln(os.Stderr, http.ListenAndServe(":2280", nil))
	os.Exit(1)
}

func argument(n int) string {
	if n < len(os.Args) {
		return os.Args[n]
	}
	return ""
}
