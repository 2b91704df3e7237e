package scenarios

import (
	"fmt"
	"time"

	"github.com/reapcheck/reapcheck/harness/check"
	"github.com/reapcheck/reapcheck/harness/dialect"
	"github.com/reapcheck/reapcheck/harness/fault"
	"github.com/reapcheck/reapcheck/harness/load"
	"github.com/reapcheck/reapcheck/harness/session"
	"github.com/reapcheck/reapcheck/harness/trial"
)

// A connection is accepted when it is there (accept(2)), and its request comes later or
// never. Whoever looks at what it begins with, a PROXY line or a TLS greeting, in the
// loop that accepts, or serves one connection after the other, waits for whoever comes
// first: one client that says nothing, and nobody else is answered. So does whoever holds
// a lock while it reads a request or writes an answer: write(2) waits for a client that
// does not read as soon as the kernel has taken what it can.
var _ = should("speechless", "clients that say nothing",
	"or do not listen, keep no other from being answered, where a naive daemon waits for them",
	func(s *session.Session) session.Experiment {
		const clients = 4
		ask := func(d dialect.Dialect) fault.Speechless {
			return fault.Speechless{Clients: clients, Begins: d.OverHTTP(),
				Asks:   d.Written(dialect.Request{Script: unread}),
				Halves: 1 + int(s.Patience(waitsLimit)/givesUp),
				Broken: brokenOff}
		}
		arm := session.Arm{
			Trials: s.Scale.Trials(session.Count{Floor: 8, Quick: 8, Standard: 40}), InFlight: 4,
			Commands: load.Instant, Fresh: true, Deadline: waitsLimit,
			Fault: ask(s.Candidate.Dialect), MinHits: clients,
		}
		sound := candidate(arm)
		// That they have gone is noticed when their connections are closed, and not before.
		sound.Watch = check.Settles(check.ComesBack(clients, check.Files))
		peeking := naive(arm, "peeking", trial.Symptom(trial.Hung))
		peeking.Trials, peeking.Deadline = 4, time.Second
		peeking.Fault = fault.Speechless{Clients: clients, Begins: true}
		queueing := naive(arm, "queueing", trial.Symptom(trial.Hung))
		queueing.Trials, queueing.Deadline = 4, time.Second
		queueing.Fault = ask(dialect.ProcessExecute())
		return session.Experiment{SideBySide: true,
			Arms: []session.Arm{peeking, queueing, sound}}
	})

// brokenOff is more than the places that a server has for requests that it reads.
const brokenOff = 150

// givesUp is the soonest that a target gives up a request that does not come. One that waits
// for each of several in turn waits for longer than an answer may take on this machine.
const givesUp = 4 * time.Second

// unread writes more than the kernel takes for a client that does not read: 4 MiB, unless
// it was told otherwise.
var unread = fmt.Sprintf("head -c %d /dev/zero | tr '\\0' x", 8<<20)
