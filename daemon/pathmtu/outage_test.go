package pathmtu_test

import (
	"testing"
	"time"

	"pc5d/daemon/pathmtu"
)

// TestT59_OutageIsNoNarrowPath: while nothing arrives, of whatever length, nothing is known of the path (RFC 8899,
// 5.2: the base is confirmed before anything is concluded): nobody is to be told of a narrow one, and when the
// peer is back the old length is found at once.
func TestT59_OutageIsNoNarrowPath(t *testing.T) {
	for _, outage := range []time.Duration{3 * time.Second, 5 * time.Second, 8 * time.Second} {
		p := newPath(1408, 1)
		p.run(10*time.Second, true)
		down := true
		p.lost = func() bool { return down }
		for end := p.now.Add(pathmtu.ConfirmEvery + outage); p.now.Before(end); {
			p.run(step, true)
			if p.search.ContentLen() == pathmtu.Base && !p.search.Searching() {
				t.Errorf("outage of %v: settled at the base length, senders are told", outage)
				break
			}
		}
		down = false
		p.run(5*time.Second, true)
		if n := p.search.ContentLen(); n != pathmtu.Most {
			t.Errorf("outage of %v: content length %d five seconds after it", outage, n)
		}
	}
}
