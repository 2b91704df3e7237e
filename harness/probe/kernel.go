package probe

import "golang.org/x/sys/unix"

// Kernel is this machine's, such as "Linux 6.14.0".
func Kernel() string {
	var name unix.Utsname
	if err := unix.Uname(&name); err != nil {
		return "unknown kernel"
	}
	return unix.ByteSliceToString(name.Sysname[:]) + " " + unix.ByteSliceToString(name.Release[:])
}
