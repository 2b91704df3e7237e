// Command measure prints how the code of this module reads, in numbers: how
// long files and functions are, how deep they nest, how much of them is
// comment, what is exported without documentation, which lines are long, and
// how many references lead out of their file.
//
// It reads the syntax alone, in all folders below the one that it is given.
// Tests are only counted, in the last column. Generated code, testdata and
// vendor are left out.
//
//	go run ./tools/measure [folder]
package main

import (
	"fmt"
	"io"
	"os"
	"text/tabwriter"
)

func main() {
	folder := "."
	if len(os.Args) > 1 {
		folder = os.Args[1]
	}
	packages, err := read(folder)
	if err == nil {
		err = table(os.Stdout, packages)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "measure:", err)
		os.Exit(1)
	}
}

// table prints a row for each package and one for all of them together.
func table(w io.Writer, packages []*figures) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "package\tfiles\tlines\tfile med/p90/max\tfunc med/p90/max\t>40\tnest>=4\t"+
		"comment\tno doc\t>100 cols\tcross-file\ttest:code")
	all := &figures{name: "total"}
	for _, p := range packages {
		if len(p.fileLines) > 0 {
			fmt.Fprintln(t, p.row())
		}
		all.add(p)
	}
	fmt.Fprintln(t, all.row())
	return t.Flush()
}
