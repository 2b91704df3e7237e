package sandbox

import "os"

// OwnInput is what PID 1's own standard input holds, which then never ends. A
// command that gets it by inheritance reads it and waits for more, and with an
// input that is empty no one could tell.
const OwnInput = "this is the daemon's own input\n"

// OwnGroup is a group that PID 1 has beside its own, where groups can be given: whose commands
// lose it, they lose those of an image as well (--group-add).
const OwnGroup = 64999

// OwnInputPipe returns that input, and the end by which it is held open.
func OwnInputPipe() (input, hold *os.File, err error) {
	input, hold, err = os.Pipe()
	if err == nil {
		_, err = hold.WriteString(OwnInput)
	}
	return input, hold, err
}
