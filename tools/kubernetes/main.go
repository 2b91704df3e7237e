// Kubernetes decodes a manifest as strictly as the API server's own types allow: a field
// that there is not, or of another type, is an error. It is a module of its own, since
// those types bring much that the harness does not need.
package main

import (
	"fmt"
	"io"
	"os"

	batchv1 "k8s.io/api/batch/v1"
	"sigs.k8s.io/yaml"
)

func main() {
	text, err := io.ReadAll(os.Stdin)
	var job batchv1.Job
	if err == nil {
		err = yaml.UnmarshalStrict(text, &job)
	}
	if err == nil && (job.APIVersion != "batch/v1" || job.Kind != "Job") {
		err = fmt.Errorf("%s %s is not a batch/v1 Job", job.APIVersion, job.Kind)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "kubernetes:", err)
		os.Exit(1)
	}
	container := job.Spec.Template.Spec.Containers[0]
	fmt.Println(*job.Spec.Completions, *job.Spec.CompletionMode, container.Args)
}
