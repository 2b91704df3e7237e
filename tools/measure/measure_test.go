package main

import (
	"reflect"
	"strings"
	"testing"
)

func TestFiguresOfAHouseCountedByHand(t *testing.T) {
	packages, err := read("testdata/house")
	if err != nil || len(packages) != 1 {
		t.Fatalf("%d packages, %v; want one", len(packages), err)
	}
	want := &figures{
		name:      ".",
		fileLines: []int{20, 31},
		funcLines: []int{7, 1, 1, 1, 1, 14, 1, 3},
		deep:      1,
		comments:  4,
		exports:   4,
		noDoc:     2,
		long:      1,
		inFile:    1,
		crossFile: 2,
		testLines: 5,
	}
	if got := packages[0]; !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestTableHasARowForEachPackageAndTheirTotal(t *testing.T) {
	var out strings.Builder
	packages := []*figures{
		{name: "short", fileLines: []int{10}, funcLines: []int{3}, inFile: 1, crossFile: 1},
		{name: "tests alone", testLines: 7},
		{name: "long", fileLines: []int{30, 50}, funcLines: []int{41, 5}, inFile: 2, testLines: 20},
	}
	if err := table(&out, packages); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(lines) != 4 {
		t.Fatalf("want a heading, two packages and the total:\n%s", out.String())
	}
	for i, want := range []string{"package", "short", "long", "total"} {
		if !strings.HasPrefix(lines[i], want) {
			t.Errorf("line %d: want it to begin with %q: %s", i+1, want, lines[i])
		}
	}
	got := strings.Join(strings.Fields(lines[3]), " ")
	want := "total 3 90 30/30/50 5/5/41 1 0 of 3 0 % 0 of 0 0 25 % 0.30"
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}
