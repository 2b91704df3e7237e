package trace

func (r *Registers) argument(index int) *uint64 {
	return [...]*uint64{&r.Rdi, &r.Rsi, &r.Rdx, &r.R10, &r.R8, &r.R9}[index]
}

func (r *Registers) result() *uint64 { return &r.Rax }
