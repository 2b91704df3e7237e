package results

// Kinds of commands by which causes are told apart.
var (
	// bySignal are commands that a signal ends.
	bySignal = []string{"killed", "terminated", "segmentation fault", "aborted", "interrupt",
		"user defined signal 1", "core", "signals", "writes", "long", "until-terminated"}
	// tooLong are commands of 100 KB and more.
	tooLong = []string{"too-long", "value-too-long", "very-long", "phantom"}
	// notToStart are commands that nothing can start.
	notToStart = []string{"cwd-missing", "folder-is-fifo", "folder-not-yet", "cwd-is-file", "nul", "cannot-start",
		"too-long"}
	// longInput are commands whose input is 64 KiB or more in a request.
	longInput = []string{"given-bytes-65535", "given-bytes-65536", "given-bytes-65537",
		"given-bytes-131073", "given-bytes-524289", "given-characters", "given-and-written", "given-late",
		"given-at-once-", "given-unread", "given-unread-for-long", "given-unread-but-a-line", "given-and-closed",
		"given-and-held", "given-much-overtime", "reads-much", "reads-none"}
	// outlives are commands that outlive their timeout.
	outlives = []string{"overtime-", "resists-", "times-out", "ends-when-asked", "given-overtime",
		"given-much-overtime"}
	// overtimeInput are those among them that are given an input.
	overtimeInput = []string{"given-overtime", "given-much-overtime"}
	// hangsUp are those whose client goes away.
	hangsUp = []string{"abandoned", "abandoned-", "hangs-up", "gone-with-more-behind",
		"heir-abandoned"}
	// apart are commands whose children leave their process group.
	apart = []string{"overtime-apart-", "resists-apart-", "abandoned-apart-"}
	// noText are commands whose output is no text.
	noText = []string{"every-byte", "half-a-character-last", "no-text-far-behind", "broken-text"}
	// reused are orders in which a second command has the first one's number.
	reused = []string{"number-used-again", "number-of-an-orphan", "number-of-a-failed-start",
		"new-owner-lasts"}
	// settings are looks at what a daemon may have changed for itself.
	settings = []string{"umask", "limits", "priority", "processors", "scheduling", "privileges",
		"others", "groups", "namespaces"}
	// asSet are commands that look at their environment or folder.
	asSet = []string{"value-", "no-value", "like-numbers", "names", "names-alike",
		"names-that-filters-know", "many", "folder", "folder-and-variable", "no-folder-again",
		"no-folder-after-none", "folder-up-from-link", "folder-now", "folder-by-link",
		"folder-by-link-elsewhere", "folder-of-", "names-of-fields", "name-long", "nothing-mistaken",
		"own-emptied", "own-path-alone", "own-wins-by-tilde", "not-set-again", "own-wins", "set-meanwhile",
		"not-set-meanwhile"}
)

// stopSignals is how the name of a fault begins that sends a signal to PID 1.
var stopSignals = []string{"terminated at", "interrupt at"}

// Signals that end a command which has no handler, by their numbers everywhere on Linux (signal(7)).
const (
	sighup  = 1
	sigint  = 2
	sigkill = 9
	sigterm = 15
)
