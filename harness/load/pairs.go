package load

import "math/rand/v2"

// Pairs are rows of one value for each thing, where every two values of different things
// meet in some row. Sizes says how many values each thing has, 1 or more, and a row has an
// index below it. There are about as many rows as the two largest have pairs, and half as
// many again.
func Pairs(sizes []int, r *rand.Rand) (rows [][]int) {
	const tries = 50 // each row is the best of so many
	missing := everyPair(sizes)
	for len(missing) > 0 {
		var row []int
		var most []pair
		for range tries {
			try := Row(sizes, r)
			if new := meeting(try, missing); len(new) > len(most) {
				row, most = try, new
			}
		}
		if row == nil {
			continue
		}
		rows = append(rows, row)
		for _, p := range most {
			delete(missing, p)
		}
	}
	return rows
}

// Row is a value for each thing, at random.
func Row(sizes []int, r *rand.Rand) []int {
	row := make([]int, len(sizes))
	for thing, size := range sizes {
		row[thing] = r.IntN(size)
	}
	return row
}

// pair is two things, the earlier one first, each with a value.
type pair struct{ one, its, other, others int }

func everyPair(sizes []int) map[pair]bool {
	all := map[pair]bool{}
	for other := range sizes {
		for one := range other {
			for its := range sizes[one] {
				for others := range sizes[other] {
					all[pair{one, its, other, others}] = true
				}
			}
		}
	}
	return all
}

// meeting are the pairs of a row that are among these.
func meeting(row []int, among map[pair]bool) (found []pair) {
	for other := range row {
		for one := range other {
			if p := (pair{one, row[one], other, row[other]}); among[p] {
				found = append(found, p)
			}
		}
	}
	return found
}
