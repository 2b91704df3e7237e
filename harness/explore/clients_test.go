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
		err := newClients().until(ctx, time.Minute, "something", func() string { return "there is nothing" })
		if took := time.Since(began); !errors.Is(err, context.Canceled) || took != time.Second {
			t.Errorf("it ended after %v: %v", took, err)
		}
	})
}

// A target that has read the first part of a large request, and sleeps, waits for the rest.
func TestALargeRequestIsSentToItsEnd(t *testing.T) {
	for name, c := range map[string]struct {
		ends time.Duration
		want time.Duration
	}{
		"it ends":           {ends: fullLimit / 2, want: fullLimit / 2},
		"its queue is full": {ends: 2 * fullLimit, want: fullLimit},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				all := newClients()
				d := &dialog{written: true, pending: true}
				all.dialogs, all.wrote = append(all.dialogs, d), 4096
				time.AfterFunc(c.ends, func() {
					all.update(func() { d.pending, all.wrote = false, 131072 })
				})
				began := time.Now()
				sent, err := all.sent(t.Context())
				whole := c.ends == c.want
				if took := time.Since(began); err != nil || took != c.want || (sent == 131072) != whole {
					t.Errorf("%d bytes were sent after %v, error %v", sent, took, err)
				}
				time.Sleep(c.ends)
			})
		})
	}
}
