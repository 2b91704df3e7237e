package target

import (
	"cmp"
	"fmt"
	"maps"

	"github.com/reapcheck/reapcheck/harness/sandbox"
)

// Spec is the sandbox that the target asks for. One of this project's is found in
// programs; its build with fault points is left to whoever wants that.
func (t Target) Spec(name string, programs map[Build]string) sandbox.Spec {
	spec := sandbox.Spec{
		Name:              name,
		Binary:            t.Binary,
		FaultPointsBinary: t.FaultPoints,
		Image:             t.Image,
		Args:              t.Args,
		Env:               map[string]string{},
		Port:              t.Dialect.Port,
		Socket:            t.Dialect.Socket,
		Ready:             t.Dialect.Ready,
	}
	if t.Ours() {
		spec.Binary = programs[cmp.Or(t.Build, Ordinary)]
		spec.Env["DECK_STRATEGY"] = t.Strategy
		spec.Env["DECK_LISTEN"] = fmt.Sprintf("0.0.0.0:%d", t.Dialect.Port)
	}
	maps.Copy(spec.Env, t.Env)
	return spec
}
