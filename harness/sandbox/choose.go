package sandbox

import (
	"context"
	"errors"
	"fmt"
)

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
// "auto" is docker where an engine answers and namespace where none does, and
// why then says what became of the engine. The error of "auto" wraps
// ErrUnavailable and says what each runtime lacks.
func Choose(ctx context.Context, wish string) (name, why string, err error) {
	switch wish {
	case "docker", "namespace":
		return wish, "", nil
	case "auto":
	default:
		return "", "", fmt.Errorf("unknown runtime %q: choose auto, docker or namespace", wish)
	}
	provider, errDocker := findEngine(ctx)
	if errDocker == nil {
		return "docker", "", provider.Close()
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
