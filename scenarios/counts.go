package scenarios

import "github.com/reapcheck/reapcheck/harness/session"

// How many trials an arm has, and what the number is for. A run takes as many of them
// as its machine has time for, and never fewer than the floor.
//
// Where a fault forces the order of events, every trial of a broken daemon is bad: the
// first proves as much as the thousandth, and the floor is what all cases need. What
// comes above it is for defects that need something else besides: one start in a
// hundred, say, of which 200 trials show one with a chance of 87 %, and the 600 of the three
// arms that have as many with one of 99.8 %.
//
// Where nothing is forced, only a number can exclude a rate. A daemon that races
// loses 5 to 22 % of a storm; one that loses a tenth of the least of that, 0.5 %, is
// seen by 600 trials with a chance of 95 %, and one that loses a hundredth by 6,000.
var (
	// forcedLoss is a baseline's that loses every code, or nearly.
	forcedLoss = session.Count{Floor: 20, Quick: 40, Standard: 200}
	// forced is a candidate's under the same fault.
	forced = session.Count{Floor: 60, Quick: 200, Standard: 1000}
	// slowly is for trials that wait most of a second: the order is forced, and the
	// few are enough for the median of their times.
	slowly = session.Count{Floor: 3, Quick: 5, Standard: 20}

	// allCodes are the three requests of the first report and every exit code.
	allCodes = session.Count{Floor: 259, Quick: 259, Standard: 3 * 259}

	// A storm's baseline goes on until it has lost a code, and has at least
	// stormLoss, which is what its rate is drawn from.
	stormLoss = session.Count{Floor: 40, Quick: 100, Standard: 400}
	// stormLossMost is beyond any chance: at 4 %, the least that has been measured
	// (GOMAXPROCS=1), one baseline in 10^35 would lose nothing.
	stormLossMost = session.Count{Floor: 2000, Quick: 2000, Standard: 2000}
	// storms are three: together 300 trials at the floor, which show a daemon that loses
	// 1 %, 900 in quick and 6,000 in standard.
	stormed = session.Count{Floor: 100, Quick: 300, Standard: 2000}
	// bursts of ten.
	burst = session.Count{Floor: 100, Quick: 300, Standard: 2000}

	// A number that has changed hands: heirs wait for a late reaper, anyHeirs do not.
	heirs    = session.Count{Floor: 4, Quick: 8, Standard: 20}
	anyHeirs = session.Count{Floor: 60, Quick: 200, Standard: 1000}
	// heirsMost is beyond any chance for a baseline that misleads in one trial of two.
	heirsMost = session.Count{Floor: 100, Quick: 100, Standard: 100}

	// freezes: one of them shows it where all goes well.
	freezes     = session.Count{Floor: 4, Quick: 6, Standard: 30}
	freezesMost = session.Count{Floor: 100, Quick: 100, Standard: 100}

	// Five orphans each. What the hoarding baseline keeps of 400 is more than the
	// check of the memory allows.
	orphaned = session.Count{Floor: 90, Quick: 100, Standard: 400}
	// Seven ends six times, which has every signal: the fourth writes a core file.
	ends = session.Count{Floor: 42, Quick: 56, Standard: 280}
	// Bursts of held outputs.
	heldBursts = session.Count{Floor: 1, Quick: 2, Standard: 10}
	// Seven of eight clients go away, six at once: how many of these go before their
	// command is there is up to the machine, and a busy one sees most of them late.
	gone = session.Count{Floor: 48, Quick: 64, Standard: 240}
	// Six kinds of starts that fail, twenty of each: what one of them leaks is above
	// the slack of the check.
	failedStarts = session.Count{Floor: 120, Quick: 120, Standard: 600}
	// Six kinds of outputs.
	outputs = session.Count{Floor: 24, Quick: 60, Standard: 300}
	// One flood is as good as three, which are for a machine that swaps.
	floods = session.Count{Floor: 1, Quick: 1, Standard: 3}
	// Rounds of one long command and nineteen short ones.
	longRounds = session.Count{Floor: 2, Quick: 2, Standard: 10}
	// Waves of many commands that sleep.
	waves = session.Count{Floor: 1, Quick: 1, Standard: 3}
	// Children that run on while the daemon should rest.
	sleepers = session.Count{Floor: 4, Quick: 8, Standard: 40}
	// Every second burst meets the limit.
	pressedBursts = session.Count{Floor: 4, Quick: 6, Standard: 40}
	hungryBursts  = session.Count{Floor: 4, Quick: 4, Standard: 12}
	// What each of these leaks is far above the slack of the checks.
	leaking = session.Count{Floor: 300, Quick: 300, Standard: 2000}
	// Some 45 commands have every pair, and those after them what only three at once show.
	paired = session.Count{Floor: 60, Quick: 120, Standard: 1200}
	// Nine have all pairs of the baseline's two things.
	overlooked = session.Count{Floor: 12, Quick: 12, Standard: 12}
	// The hoarding baseline keeps something of each command.
	hoarded = session.Count{Floor: 240, Quick: 240, Standard: 400}
)

// each is so many trials of each of some kinds.
func each(kinds, floor, quick, standard int) session.Count {
	return session.Count{Floor: floor * kinds, Quick: quick * kinds, Standard: standard * kinds}
}
