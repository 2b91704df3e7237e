package trace

// The first argument and the result share a register: at an exit the former is gone.
func (r *Registers) argument(index int) *uint64 { return &r.Regs[index] }

func (r *Registers) result() *uint64 { return &r.Regs[0] }
