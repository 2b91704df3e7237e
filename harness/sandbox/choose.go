package sandbox

import (
	"context"
	"errors"
	"fmt"
)

// ErrUnknown means that there is no runtime of that name.
var ErrUnknown = errors.New("unknown runtime")

// ChooseForControl is Choose for a run that starts the reference daemon and
// nothing else: "auto" is namespace wherever there are any, and no engine is
// asked for.
func ChooseForControl(ctx context.Context, wish string) (name, why string, err error) {
	if wish == "auto" && tryNamespaces(ctx) == nil {
		return "namespace", "", nil
	}
	return Choose(ctx, wish)
}

// Choose settles which runtime a run takes. "docker" and "namespace" stand;
// "auto" is docker where an engine answers and its containers can be looked into,
// and namespace elsewhere; why then says what became of the engine. The error of
// "auto" wraps ErrUnavailable and says what each runtime lacks.
func Choose(ctx context.Context, wish string) (name, why string, err error) {
	switch wish {
	case "docker", "namespace":
		return wish, "", nil
	case "auto":
	default:
		return "", "", fmt.Errorf("%w %q: choose auto, docker or namespace", ErrUnknown, wish)
	}
	provider, errDocker := findEngine(ctx)
	if ctx.Err() != nil {
		return "", "", context.Cause(ctx)
	}
	if errDocker == nil {
		name, why = besideEngine(ctx, viewOfRoot())
		return name, why, provider.Close()
	}
	if errNamespace := tryNamespaces(ctx); errNamespace != nil {
		return "", "", fmt.Errorf("choose a runtime: %w", errors.Join(errDocker, errNamespace))
	}
	var p *problem
	if errors.As(errDocker, &p) {
		why = p.brief()
	}
	return "namespace", why, nil
}

// besideEngine chooses where an engine answers. Of what runs in its containers an
// ordinary user sees too little; a namespace's processes are their own.
func besideEngine(ctx context.Context, view error) (name, why string) {
	if checkView(view).OK || tryNamespaces(ctx) != nil {
		return "docker", ""
	}
	return "namespace", "this user may not look into the engine's containers"
}
