package compare

import "math"

// twoSided99 is how many standard deviations hold 99 % of what is normal.
const twoSided99 = 2.576

// kendall is how many of the slopes between n looks lie within the interval: Kendall's
// score has this standard deviation where nothing grows (Sen, 1968).
func kendall(n int) int {
	deviation := math.Sqrt(float64(n*(n-1)*(2*n+5)) / 18)
	return int(math.Ceil(twoSided99 * deviation))
}
