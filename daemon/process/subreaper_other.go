//go:build !linux

package process

import "errors"

// BecomeSubreaper is for Linux only.
func BecomeSubreaper() error { return errors.ErrUnsupported }
