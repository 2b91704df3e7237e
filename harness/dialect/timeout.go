package dialect

import "time"

// inFractions are the placeholders for a timeout that may be a part of a second.
var inFractions = []string{"<timeout>", "<timeoutMs>"}

// wholeSeconds is the placeholder for one that may not.
const wholeSeconds = "<timeoutSeconds>"

// SaysTimeout reports whether a command can be given a timeout: by a field of a request,
// in whatever unit, or by a client that kills it then.
func (d Dialect) SaysTimeout() bool {
	return d.hasTimeout() || d.Request.Kill != nil
}

// hasTimeout says whether a request has a field for a timeout.
func (d Dialect) hasTimeout() bool {
	return d.Says(wholeSeconds) || d.saysFractions()
}

func (d Dialect) saysFractions() bool {
	return d.Says(inFractions[0]) || d.Says(inFractions[1])
}

// Timeout is the shortest timeout of at least t that the dialect can say. A target is
// held to what its own API can express. Zero, no timeout, stays as it is.
func (d Dialect) Timeout(t time.Duration) time.Duration {
	if !d.Says(wholeSeconds) || d.saysFractions() {
		return t
	}
	return roundUp(t)
}

// roundUp is the next whole second.
func roundUp(t time.Duration) time.Duration {
	return (t + time.Second - 1).Truncate(time.Second)
}

// Kills says whether a client has to end commands itself when their time is over.
func (d Dialect) Kills() bool { return d.Request.Kill != nil && !d.hasTimeout() }

// TellsTimeout reports whether a timeout can be told from an answer.
func (d Dialect) TellsTimeout() bool {
	return d.spoken || d.Kills() || len(d.Words.Timeout) > 0
}

// TimesOut reports whether a command can be given a timeout, and its answer tells of it.
func (d Dialect) TimesOut() bool { return d.SaysTimeout() && d.TellsTimeout() }
