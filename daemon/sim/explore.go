package sim

// Explore calls run once for each way in which the first depth choices of a world can go; run
// makes its world choose by the function that it gets. Later choices are always the first. It
// returns how many ways there were.
func Explore(depth int, run func(choose func(n int) int)) (ways int) {
	var script, sizes []int
	for {
		at := 0
		run(func(n int) int {
			if n < 2 || at == depth {
				return 0
			}
			if at == len(script) {
				script, sizes = append(script, 0), append(sizes, n)
			}
			at++
			return script[at-1]
		})
		ways++
		script, sizes = script[:at], sizes[:at]
		for len(script) > 0 && script[len(script)-1] == sizes[len(sizes)-1]-1 {
			script, sizes = script[:len(script)-1], sizes[:len(sizes)-1]
		}
		if len(script) == 0 {
			return ways
		}
		script[len(script)-1]++
	}
}
