package trace

func (r *Registers) argument(index int) *uint64 {
	return [...]*uint64{&r.Rdi, &r.Rsi, &r.Rdx, &r.R10, &r.R8, &r.R9}[index]
}

func (r *Registers) result() *uint64 { return &r.Rax }

// again goes back to the instruction that makes a call.
func (r *Registers) again(number uint64) {
	const instruction = 2 // syscall
	r.Rip -= instruction
	r.Rax = number
}
