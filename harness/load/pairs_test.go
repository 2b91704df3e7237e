package load

import "testing"

func TestPairsHaveEveryTwoValues(t *testing.T) {
	for _, sizes := range [][]int{{2, 2, 3, 4, 4, 5, 2, 7}, {3, 1, 4}, {5}, {}} {
		for seed := range uint64(5) {
			rows := Pairs(sizes, Random(seed, "pairs", -1))
			seen := map[pair]bool{}
			for _, row := range rows {
				for _, p := range meeting(row, everyPair(sizes)) {
					seen[p] = true
				}
			}
			if len(seen) != len(everyPair(sizes)) {
				t.Errorf("%v, seed %d: %d of %d pairs", sizes, seed, len(seen), len(everyPair(sizes)))
			}
			const enough = 55 // 7 times 5 pairs need 35 at least
			if len(rows) > enough {
				t.Errorf("%v, seed %d: %d rows", sizes, seed, len(rows))
			}
		}
	}
}
