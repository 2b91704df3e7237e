package trial

import (
	"bytes"
)

// indexes are numbers that have been seen, a bit each, in pages that are made when the
// first of their numbers comes: a plan may say that it has any number of trials.
type indexes map[int]*[512]byte

// add says whether the number is new.
func (x indexes) add(n int) bool {
	const perPage = 8 * 512
	page := x[n/perPage]
	if page == nil {
		page = new([512]byte)
		x[n/perPage] = page
	}
	at, bit := n%perPage/8, byte(1)<<(n%8)
	if page[at]&bit != 0 {
		return false
	}
	page[at] |= bit
	return true
}

// plainRecord reads the line of a trial that was ok, just as a Recorder writes it. Those
// are nearly all lines of a recording, and encoding/json takes many times as long
// for them. Whatever else a line is, ok is false, and it is for encoding/json to say.
func plainRecord(line []byte) (r Record, ok bool) {
	l := plain{line, true}
	l.word(`{"trial":{"i":`)
	r.Index = int(l.number())
	l.word(`,"kind":"`)
	r.Kind = l.name()
	l.word(`","want":`)
	r.Want = int(l.number())
	if bytes.HasPrefix(l.rest, []byte(`,"got":`)) {
		l.word(`,"got":`)
		got := int(l.number())
		r.Got = &got
	}
	l.word(`,"outcome":"ok","atUs":`)
	r.Outcome = OK
	r.AtMicros = l.number()
	l.word(`,"us":`)
	r.Micros = l.number()
	l.word(`}}`)
	return r, l.ok && len(l.rest) == 0
}

// plain is what is left of a line while it is as expected.
type plain struct {
	rest []byte
	ok   bool
}

func (l *plain) word(w string) {
	if l.ok = l.ok && len(l.rest) >= len(w) && string(l.rest[:len(w)]) == w; l.ok {
		l.rest = l.rest[len(w):]
	}
}

// number is one without a sign, a fraction or a leading zero, that surely fits.
func (l *plain) number() (n int64) {
	const most = 18
	i := 0
	for ; i < len(l.rest) && i < most && l.rest[i] >= '0' && l.rest[i] <= '9'; i++ {
		n = 10*n + int64(l.rest[i]-'0')
	}
	l.ok = l.ok && i > 0 && (i == 1 || l.rest[0] != '0') && int64(int(n)) == n
	l.rest = l.rest[i:]
	return n
}

// name is text without anything that JSON would escape.
func (l *plain) name() string {
	for i, c := range l.rest {
		switch {
		case c == '"':
			text := string(l.rest[:i])
			l.rest = l.rest[i:]
			return text
		case c == '\\' || c < ' ' || c > '~':
			l.ok = false
			return ""
		}
	}
	l.ok = false
	return ""
}
