package explore

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// Whoever presses Ctrl-C ends the clients: what they have not read will never be read.
func TestAWaitForClientsEndsWithTheRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		began := time.Now()
		err := newClients().until(ctx, "something", func() string { return "there is nothing" })
		if took := time.Since(began); !errors.Is(err, context.Canceled) || took != time.Second {
			t.Errorf("it ended after %v: %v", took, err)
		}
	})
}
