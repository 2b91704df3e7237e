// Package house is small enough to be counted by hand.
package house

import "fmt"

// Door has documentation, and Window has none.
type Door struct{}

type Window struct{}

// Open refers to two functions of another file and to one of its own.
func (Door) Open(steps [][][]int) {
	knock()
	Door{}.turn()
	step()
	for _, a := range steps {
		for _, b := range a {
			for _, c := range b {
				if c > 0 {
					fmt.Println(c)
				}
			}
		}
	}
}

func step() {}

func (Window) Close() {
	fmt.Println("this line is longer than a hundred columns, and it is here for nothing else than that")
}
