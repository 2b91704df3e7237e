package dialect

// Can is what can be said to a target that is not spoken to over HTTP.
type Can struct {
	// Output says that its answers have a command's output, and Merged that both of its
	// streams are in the order written.
	Output, Merged bool
	// Cwd, Env, Timeout and Stdin say that a request has a field for these.
	Cwd, Env, Timeout, Stdin bool
	// HangUp says that the target sees a client go away.
	HangUp bool
}

// Spoken describes a target that is spoken to in another way than over HTTP, by who can
// say this much. Port is 0 where it is not known.
func Spoken(name string, port int, can Can) Dialect {
	d := Dialect{Port: port, spoken: true, hangsUp: can.HangUp,
		placeholders: []string{"<command>", "<argv>"}}
	d.setDefaults(name)
	for _, field := range []struct {
		can  bool
		name string
	}{{can.Cwd, "<cwd>"}, {can.Env, "<env>"}, {can.Timeout, "<timeoutMs>"},
		{can.Stdin, stdin}} {
		if field.can {
			d.placeholders = append(d.placeholders, field.name)
		}
	}
	if can.Output {
		d.Response.Output = Places{{At: "/output"}}
	}
	if can.Output && !can.Merged { // as of two places
		d.Response.Output = Places{{At: "/stdout"}, {At: "/stderr"}}
	}
	return d
}

// OverHTTP says whether the target is spoken to over HTTP.
func (d Dialect) OverHTTP() bool { return !d.spoken }

// HangsUp says whether the target can see a client go away.
func (d Dialect) HangsUp() bool { return !d.spoken || d.hangsUp }

// InShell says by the shell what a request has no field for.
func (d Dialect) InShell(r Request) Request { return withoutFields(d, r) }

// Argv is the command as a list.
func (r Request) Argv() []string { return argv(r) }

// Called is what a sentence calls the dialect.
func (d Dialect) Called() string {
	if d.spoken {
		return "the driver " + d.Name
	}
	return "the dialect " + d.Name
}
