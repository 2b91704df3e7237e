package scenarios

import (
	"github.com/reapcheck/reapcheck/harness/explore"
	"github.com/reapcheck/reapcheck/harness/session"
	"github.com/reapcheck/reapcheck/harness/trial"
)

// A daemon learns of a command's end in pieces: its start is known, SIGCHLD comes (one
// for several ends, signal(7)), its output ends, a wait returns (wait(2)). The kernel
// promises no order of these, and an idle machine shows the same one again and again.
// The other scenarios force an order that someone thought of; here the pieces are held
// by a tracer (ptrace(2)), which lets one thing go at a time, in every order up to a
// number. The target's clock is the tracer's: a busy machine changes no outcome.
var _ = tracing.scenario("orders", "every order of starts, ends, signals and waits",
	"that was tried gives the right code, and loses it where the reaper is not told of commands",
	func(s *session.Session) session.Experiment {
		one := orderKinds[:1]
		return session.Experiment{SideBySide: true, Arms: []session.Arm{
			ordered(misbehaves("reaper-only"), s.Scale.Trials(ordersLost), one),
			ordered(misbehaves("documented"), s.Scale.Trials(ordersLost), one),
			ordered(candidate(session.Arm{Walks: s.Scale.Trials(ordersWalked)}),
				s.Scale.Trials(ordersTried), orderKinds),
		}}
	})

// orderKinds differ in what is asked, and in which order is the first: the others are near
// it. Each of them was made for planted defects, which it finds in one of its first orders. The
// first bad order is the last that is tried, so what asks for least comes first.
var orderKinds = []session.Order{
	{Kind: "one", Plan: explore.Shape("instant", 1, 1)},
	{Kind: "late-start", Plan: explore.Shape("late-start", 1, 0)},
	{Kind: "late-end", Plan: explore.Shape("late-end", 1, 1)},
	{Kind: "at-once", Plan: explore.Shape("together", 2, 0)},
	{Kind: "two", Plan: explore.Shape("instant", 2, 0)},
	{Kind: "while-it-reaps", Plan: explore.Shape("rush", 4, 0)},
	{Kind: "six-at-once", Plan: explore.Shape("together", 6, 0), Most: 2},
	{Kind: "hang-up", Plan: explore.Shape("hang-up", 1, 0)},
	{Kind: "one-of-two-goes", Plan: explore.Shape("one-goes", 2, 0)},
	{Kind: "told-to-stop", Plan: explore.Shape("stop", 1, 0)},
	{Kind: "timeout", Plan: explore.Shape("timeout", 1, 1)},
	{Kind: "in-time", Plan: explore.Shape("in-time", 1, 1)},
	{Kind: "overtime-after-another", Plan: explore.Shape("one-in-time", 2, 1)},
	{Kind: "clock-set-ahead", Plan: explore.Shape("clock-ahead", 1, 2), Most: 4},
	{Kind: "clock-set-back", Plan: explore.Shape("clock-back", 1, 1), Most: 4},
	{Kind: "not-found", Plan: explore.Shape("not-found", 1, 0)},
	{Kind: "output", Plan: explore.Shape("output", 1, 0)},
	{Kind: "number-used-again", Plan: explore.Shape("reuse", 2, 0)},
	{Kind: "number-of-an-orphan", Plan: explore.Shape("reuse-orphan", 2, 0)},
	{Kind: "number-of-a-failed-start", Plan: explore.Shape("reuse-failed", 2, 0)},
	{Kind: "new-owner-lasts", Plan: explore.Shape("reuse-lasting", 2, 1)},
}

var (
	// ordersTried are of all kinds. An order costs as much as 40 commands; each kind has
	// its first order and those with one event out of turn, as a rule. They are as many on a
	// slow machine: what was tried there is the same.
	ordersTried = each(len(orderKinds), 8, 8, 60)
	// ordersWalked of each kind are random walks. Quick has none: its few orders of a kind
	// are for what is near the first one, where most defects are.
	ordersWalked = session.Count{Standard: 15}
	// ordersLost is beyond what both baselines need, which lose in one of their first.
	ordersLost = session.Count{Floor: 60, Quick: 60, Standard: 60}
)

// misbehaves is the reference daemon under a strategy that loses a code in some order.
func misbehaves(strategy string) session.Arm {
	arm := misbehaving(session.Arm{UntilShown: true}, strategy, strategy)
	arm.Claim = trial.Loses
	return arm
}

func ordered(arm session.Arm, most int, orders []session.Order) session.Arm {
	arm.Trials, arm.InFlight, arm.Orders, arm.Fresh, arm.Work = most, 1, orders, true, 40
	return arm
}
