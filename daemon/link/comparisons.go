package link

import "time"

// comparisonsPerSecond bounds what the search for keys costs in a second (chosen: less than a tenth of a
// processor).
const comparisonsPerSecond = 1 << 15

// comparisons counts the keys that requests without an ID were compared with: whoever sends tags, from an
// address that he proved or behind a gate, does not choose how busy the receiver is (T30, T32).
type comparisons struct {
	now    time.Time // of the request at hand
	second time.Time // when the current one began
	made   int       // in it
}

// at tells the time of the request at hand.
func (c *comparisons) at(now time.Time) *comparisons {
	c.now = now
	return c
}

// allow takes n comparisons of a second; nil allows none. The first search of each is allowed, however
// many keys there are.
func (c *comparisons) allow(n int) bool {
	if c == nil {
		return false
	}
	if passed := c.now.Sub(c.second); passed >= time.Second || passed < 0 {
		c.second, c.made = c.now, 0
	}
	if c.made > 0 && c.made+n > comparisonsPerSecond {
		return false
	}
	c.made += n
	return true
}
