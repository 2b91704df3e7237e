package namespace

import (
	"os"
	"os/signal"
	"syscall"
)

// heedSignals keeps what this process ignores from being ignored by the targets that it
// starts, and by their commands: nohup and a shell's background set SIGHUP and SIGINT to be
// ignored, which an execve keeps (signal(7)), and a command that has to end by one of them
// would not. Go keeps just these two (package os/signal). A signal that has a handler is at
// its default in a child; the handler is a channel that no one reads, so here it goes on
// doing nothing.
func heedSignals() {
	for _, s := range []os.Signal{syscall.SIGHUP, syscall.SIGINT} {
		if signal.Ignored(s) {
			signal.Notify(make(chan os.Signal, 1), s)
		}
	}
}
