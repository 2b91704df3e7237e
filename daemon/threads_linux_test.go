package main

import (
	"os"
	"testing"
)

func TestReservedThreadsStay(t *testing.T) {
	const n = 60 // more than a test has by itself
	reserveThreads(n)
	threads, err := os.ReadDir("/proc/self/task")
	if err != nil || len(threads) < n {
		t.Errorf("%d threads, want at least %d: %v", len(threads), n, err)
	}
}
