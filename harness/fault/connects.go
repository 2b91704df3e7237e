package fault

import "slices"

// Connects says whether a fault has clients of its own connect to the target: it must be
// known where that listens.
func Connects(f Fault) bool {
	switch f := f.(type) {
	case Speechless, Crowd, FileLimit:
		return true
	case All:
		return slices.ContainsFunc(f, Connects)
	}
	return false
}
