package house

func knock() {
	if true {
	} else if true {
	} else if true {
	} else if true {
	}
}

func (Door) turn() { close() }

// Two functions of this name tell nobody which of them is meant.
func close() {}

func (hinge) close() {}

type hinge struct{}

func (hinge) Exported() {}
