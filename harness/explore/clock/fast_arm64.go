package clock

// standIns are none here: the kernel's code is hidden, and each look is a system call.
func standIns() map[string][]byte { return nil }
