// Package faultpoint names the places in the daemon where a test may make time
// pass: between two steps that a race could fall between.
//
// The points are real only under the build tag faultpoints. In an ordinary
// build Enabled is a false constant and Reach does nothing, so that the
// compiler leaves no trace of either; a test reads the symbol table to prove
// it. Points decide nothing and change no value: they only take time.
package faultpoint

// Point names one place.
type Point string

// The points, in the order in which a command passes them. A strategy that has
// no such place never arrives there.
const (
	// BeforeRegister lies between a child's start and its registration.
	BeforeRegister Point = "before-register"
	// BeforeWait is passed by whoever waits for a child, before the wait.
	BeforeWait Point = "before-wait"
	// BeforeReap is passed by the reaper before it takes a status.
	BeforeReap Point = "before-reap"
	// BeforePublish lies between taking a status and telling of it.
	BeforePublish Point = "before-publish"
	// BeforeLookup lies between ECHILD and the look into the cache.
	BeforeLookup Point = "before-lookup"
	// BeforeUnregister is passed by a handler that has its answer.
	BeforeUnregister Point = "before-unregister"
)
