package main

import (
	"runtime"
	"sync"
)

// spareThreads is more than the daemon has been seen to use with thousands of
// commands in flight. A parked thread costs some 10 KiB.
const spareThreads = 32

// reserveThreads has the runtime start n threads, which it then keeps for later
// use. Where the pids limit is used up a fork fails, and one request with it;
// but a Go process that cannot have another thread dies ("failed to create new
// OS thread"), and as PID 1 takes everything with it.
func reserveThreads(n int) {
	var begun, ended sync.WaitGroup
	begun.Add(n)
	for range n {
		ended.Go(func() {
			runtime.LockOSThread() // so that no two share a thread
			defer runtime.UnlockOSThread()
			begun.Done()
			begun.Wait()
		})
	}
	ended.Wait()
}
