package scenarios

import (
	"time"

	"github.com/reapcheck/reapcheck/harness/fault"
	"github.com/reapcheck/reapcheck/harness/load"
	"github.com/reapcheck/reapcheck/harness/session"
	"github.com/reapcheck/reapcheck/harness/trial"
)

// A connection is accepted when it is there (accept(2)), and its request comes later or
// never. Whoever looks at what it begins with, a PROXY line or a TLS greeting, in the
// loop that accepts, or serves one connection after the other, waits for whoever comes
// first: one client that says nothing, and nobody else is answered.
var _ = should("speechless", "clients that say nothing",
	"keep no other from being answered, where a naive daemon waits for what they begin with",
	func(s *session.Session) session.Experiment {
		const clients = 4
		arm := session.Arm{
			Trials: s.Scale.Trials(session.Count{Floor: 8, Quick: 8, Standard: 40}), InFlight: 4,
			Commands: load.Instant, Fresh: true, Deadline: waitsLimit,
			Fault:   fault.Speechless{Clients: clients, Begins: s.Candidate.Dialect.OverHTTP()},
			MinHits: clients,
		}
		baseline := naive(arm, "peeking", trial.Symptom(trial.Hung))
		baseline.Trials, baseline.Deadline = 4, time.Second
		return session.Experiment{SideBySide: true, Arms: []session.Arm{baseline, candidate(arm)}}
	})
