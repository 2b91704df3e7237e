package trace

// The first argument and the result share a register: at an exit the former is gone.
func (r *Registers) argument(index int) *uint64 { return &r.Regs[index] }

func (r *Registers) result() *uint64 { return &r.Regs[0] }

// again goes back to the instruction that makes a call. Its number is where it was.
func (r *Registers) again(uint64) {
	const instruction = 4 // svc
	r.Pc -= instruction
}
