package process

import "testing"

// BenchmarkExecute is one client's cost of a command that does nothing.
func BenchmarkExecute(b *testing.B) {
	for _, strategy := range []string{"none", "documented", "registry"} {
		b.Run(strategy, func(b *testing.B) {
			x := newExecutor(b, strategy, Options{})
			for b.Loop() {
				mustRun(b, x, "exit 0")
			}
		})
	}
}

// BenchmarkExecuteParallel is the same with eight clients per CPU.
func BenchmarkExecuteParallel(b *testing.B) {
	for _, strategy := range []string{"none", "documented", "registry"} {
		b.Run(strategy, func(b *testing.B) {
			x := newExecutor(b, strategy, Options{})
			b.SetParallelism(8)
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					mustRun(b, x, "exit 0")
				}
			})
		})
	}
}
