package clock

import "golang.org/x/sys/unix"

// These calls are older than arm64, which has only their successors.
func init() {
	rules[unix.SYS_EPOLL_WAIT] = rule{3, millis, 0}
	rules[unix.SYS_POLL] = rule{2, millis, 0}
	rules[unix.SYS_SELECT] = rule{4, timeval, 0}
	untimed[unix.SYS_ALARM] = "alarm"
	telling[unix.SYS_TIME] = tellTime
}
