package shard

import (
	"fmt"
	"slices"
)

// Item is something to deal out: a scenario.
type Item struct {
	ID string
	// Parts is into how many it can be divided at most; 1 or less where it is whole.
	Parts int
}

// Hand says which shards have an item. Their order is that of its parts.
type Hand struct {
	ID string `json:"id"`
	// Shards are one where the item is whole.
	Shards []int `json:"shards"`
}

// Deal gives each item to shards, in the order given: a whole one to the next shard in
// turn, and one that can be divided to as many as it has parts.
func Deal(items []Item, of int) []Hand {
	hands := make([]Hand, len(items))
	next := 0
	for i, item := range items {
		hands[i].ID = item.ID
		for range min(max(1, item.Parts), of) {
			hands[i].Shards = append(hands[i].Shards, next%of+1)
			next++
		}
	}
	return hands
}

// Part is which part of its item the shard has; of is 0 where it has none.
func (h Hand) Part(shard int) Place {
	if at := slices.Index(h.Shards, shard); at >= 0 {
		return Place{Number: at + 1, Of: len(h.Shards)}
	}
	return Place{}
}

// Range is some trials that follow each other.
type Range struct {
	First, Count int
}

// Share is what this part has of n trials. Parts begin at multiples of step, since
// trials that belong together, as those of a burst, must not be torn apart.
func (p Place) Share(n, step int) Range {
	if p.Whole() {
		return Range{0, n}
	}
	step = max(1, step)
	steps := (n + step - 1) / step
	cut := func(k int) int { return min(n, steps*k/p.Of*step) }
	first := cut(p.Number - 1)
	return Range{first, cut(p.Number) - first}
}

// Missing names the shards of one plan that are not among those that there are.
func Missing(there []int, of int) []int {
	have := make([]bool, of+1)
	for _, n := range there {
		if n >= 1 && n <= of {
			have[n] = true
		}
	}
	var missing []int
	for n := 1; n <= of; n++ {
		if !have[n] {
			missing = append(missing, n)
		}
	}
	return missing
}

// Ranges writes numbers, which are in order, as people do: 1, 3-5, 9.
func Ranges(numbers []int) string {
	text := ""
	for i := 0; i < len(numbers); {
		j := i
		for j+1 < len(numbers) && numbers[j+1] == numbers[j]+1 {
			j++
		}
		if text != "" {
			text += ", "
		}
		text += fmt.Sprint(numbers[i])
		if j > i {
			text += fmt.Sprintf("-%d", numbers[j])
		}
		i = j + 1
	}
	return text
}
