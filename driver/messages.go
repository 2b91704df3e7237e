package driver

// Protocol is the version of the messages in this file. It changes when a driver of the
// old version would be misunderstood.
const Protocol = 1

// Types of messages.
const (
	TypeHello   = "hello"   // the first in each direction
	TypeReady   = "ready"   // does the target take commands yet?
	TypeExecute = "execute" // gate: run a command
	TypeSent    = "sent"    // driver: the target has been asked
	TypeAnswer  = "answer"  // driver: what came of it
	TypeAbandon = "abandon" // gate: the client of that command goes away
	TypeKill    = "kill"    // gate: send a signal to that command
	TypePing    = "ping"    // gate: are you alive?
	TypePong    = "pong"    // driver: yes
	TypeFailed  = "failed"  // driver: I cannot go on, and it is not the target's doing
)

// What a driver can do, beside execute and ping. It says so in its hello.
const (
	CanReady   = "ready"   // it tells whether the target takes commands
	CanOutput  = "output"  // its answers have what the command wrote
	CanMerged  = "merged"  // and that in the order written, of both streams
	CanCwd     = "cwd"     // the target is told the folder, instead of a shell
	CanEnv     = "env"     // the target is told the environment, instead of a shell
	CanTimeout = "timeout" // the target is told a limit, and says when it has cut a command
	CanStdin   = "stdin"   // the target is given the command's input
	CanAbandon = "abandon" // the target sees that the client has gone
	CanKill    = "kill"    // the target sends signals to commands
)

// Words for what is not an exit code.
const (
	Timeout    = "timeout"    // the target cut the command short and says so
	StartError = "startError" // there is no such program, or no such folder
	Unknown    = "unknown"    // the target does not know the exit code
	Refused    = "refused"    // it lacks the means to start the command now
	Error      = "error"      // another error of the target's, or of the way to it
)

// FromGate is a line that the gate writes.
type FromGate struct {
	Type string `json:"type"`
	// ID is the command's that the message is about, or the question's own.
	ID int64 `json:"id,omitempty"`
	// Protocol and Target stand in a hello. It has no Target where the gate only asks
	// what the driver can do.
	Protocol int     `json:"protocol,omitempty"`
	Target   *Target `json:"target,omitempty"`
	// MaxOutput is how many bytes of a command's output the gate takes, in a hello.
	MaxOutput int `json:"maxOutput,omitempty"`
	Request
	// Signal stands in a kill.
	Signal int `json:"signal,omitempty"`
}

// Target says where the target is. What is not known is empty.
type Target struct {
	URL  string `json:"url,omitempty"`
	Host string `json:"host,omitempty"`
	Port int    `json:"port,omitempty"`
	// Socket is where this machine finds the Unix socket that --socket names.
	Socket string `json:"socket,omitempty"`
	// PID is that of the target's PID 1 on this machine.
	PID int `json:"pid,omitempty"`
	// Container is the container's ID.
	Container string `json:"container,omitempty"`
	// Root is the folder by which this machine sees the target's files.
	Root string `json:"root,omitempty"`
}

// Request is a command to execute. Argv is the same command as Script, for a target that
// takes a list: which of the two is sent is the driver's choice.
type Request struct {
	Script    string            `json:"script,omitempty"`
	Argv      []string          `json:"argv,omitempty"`
	Cwd       string            `json:"cwd,omitempty"`
	Env       map[string]string `json:"env,omitempty"`
	TimeoutMs int64             `json:"timeoutMs,omitempty"` // 0: none
	Stdin     string            `json:"stdin,omitempty"`     // what the command reads, and then its end
}

// FromDriver is a line that a driver writes.
type FromDriver struct {
	Type string `json:"type"`
	ID   int64  `json:"id,omitempty"`
	// Protocol, Name and Can stand in a hello.
	Protocol int      `json:"protocol,omitempty"`
	Name     string   `json:"name,omitempty"`
	Can      []string `json:"can,omitempty"`
	// Ready stands in a ready, with a Message where it is false.
	Ready bool `json:"ready,omitempty"`
	Answer
}

// Answer is what came of a command: an ExitCode, a Signal or a Word, and never two of
// them.
type Answer struct {
	ExitCode *int `json:"exitCode,omitempty"`
	// Signal is the number of the signal by which the command ended.
	Signal int    `json:"signal,omitempty"`
	Word   string `json:"word,omitempty"`
	Output string `json:"output,omitempty"`
	// OutputBase64 stands in for an Output that is not valid UTF-8.
	OutputBase64 string `json:"outputBase64,omitempty"`
	// Message is for people.
	Message string `json:"message,omitempty"`
}

// Exit is the answer of a command that ended by itself.
func Exit(code int, output []byte) Answer {
	return Answer{ExitCode: &code}.With(output)
}

// Say is an answer without an exit code.
func Say(word, message string) Answer { return Answer{Word: word, Message: message} }
