package process

import (
	"io"
	"os"
)

// input is the pipe by which a command is given its standard input. Nil is that of a
// command which is given none.
//
// A pipe holds 64 KiB as a rule (pipe(7)) and the command may read no more of it, so
// what is written has a goroutine of its own: a command that writes as much as it reads
// (cat) waits for its output to be read before it reads on.
type input struct {
	read, write *os.File
	fed         chan struct{}
}

// openInput makes the pipe, and begins to write. Call end when no one waits for the
// command any more.
func openInput(text string) (*input, error) {
	if text == "" {
		return nil, nil
	}
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	i := &input{read: r, write: w, fed: make(chan struct{})}
	go i.feed(text)
	return i, nil
}

// feed writes the text, and ends the input. Whoever closes its reading side, or ends
// without a look at it, ends the writing (EPIPE), and that is no error of the command's.
func (i *input) feed(text string) {
	defer close(i.fed)
	_, _ = io.WriteString(i.write, text)
	i.write.Close()
}

// started closes the daemon's own copy of the reading side. While that is open no one
// is told that the command has gone.
func (i *input) started() {
	if i != nil {
		i.read.Close()
	}
}

// end stops feed, wherever it is. A background process that holds the reading side reads
// what is in the pipe, and then the end. It must not come before a command is dead that
// is to be killed: that would take half an input for all of it, and go on.
func (i *input) end() {
	if i == nil {
		return
	}
	i.read.Close() // where nothing was started
	i.write.Close()
	<-i.fed
}
