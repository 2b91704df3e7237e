package main

import (
	"fmt"
	"slices"
)

// figures are what is counted of a package, or of many.
type figures struct {
	name      string
	fileLines []int // one for each file
	funcLines []int // one for each function, from its first line to its last
	deep      int   // functions that nest four levels and more
	comments  int   // lines that are comment and nothing else
	exports   int
	noDoc     int // exports without documentation
	long      int // lines of more than 100 columns
	inFile    int // references to a function of the same file
	crossFile int // references to a function of another file of the package
	testLines int
}

// limits that the table counts against.
const (
	longFunction = 40
	deepNesting  = 4
	columns      = 100
)

func (f *figures) add(other *figures) {
	f.fileLines = append(f.fileLines, other.fileLines...)
	f.funcLines = append(f.funcLines, other.funcLines...)
	f.deep += other.deep
	f.comments += other.comments
	f.exports += other.exports
	f.noDoc += other.noDoc
	f.long += other.long
	f.inFile += other.inFile
	f.crossFile += other.crossFile
	f.testLines += other.testLines
}

func (f *figures) row() string {
	lines, longFuncs := 0, 0
	for _, n := range f.fileLines {
		lines += n
	}
	for _, n := range f.funcLines {
		if n > longFunction {
			longFuncs++
		}
	}
	return fmt.Sprintf("%s\t%d\t%d\t%s\t%s\t%d\t%d of %d\t%s\t%d of %d\t%d\t%s\t%.2f",
		f.name, len(f.fileLines), lines, spread(f.fileLines), spread(f.funcLines), longFuncs,
		f.deep, len(f.funcLines), share(f.comments, lines), f.noDoc, f.exports, f.long,
		share(f.crossFile, f.inFile+f.crossFile), float64(f.testLines)/float64(max(1, lines)))
}

// spread is median, 90th percentile and maximum.
func spread(values []int) string {
	if len(values) == 0 {
		return "-"
	}
	sorted := slices.Sorted(slices.Values(values))
	at := func(percent int) int { return sorted[(len(sorted)-1)*percent/100] }
	return fmt.Sprintf("%d/%d/%d", at(50), at(90), at(100))
}

func share(part, whole int) string {
	if whole == 0 {
		return "-"
	}
	return fmt.Sprintf("%.0f %%", 100*float64(part)/float64(whole))
}
