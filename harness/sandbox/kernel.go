package sandbox

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// Kernel is this machine's, such as "Linux 6.14.0".
func Kernel() string {
	var name unix.Utsname
	if err := unix.Uname(&name); err != nil {
		return "unknown kernel"
	}
	return unix.ByteSliceToString(name.Sysname[:]) + " " + unix.ByteSliceToString(name.Release[:])
}

// hasPIDMaxPerNamespace reads Kernel's text.
func hasPIDMaxPerNamespace(kernel string) bool {
	var major, minor int
	_, err := fmt.Sscanf(kernel, "Linux %d.%d", &major, &minor)
	return err == nil && (major > 6 || major == 6 && minor >= 14)
}
