//go:build !linux

package process

// offerToOOM has nothing to do: what is killed for memory is not ours to choose.
func offerToOOM(Child) {}
