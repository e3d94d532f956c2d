package link

import "time"

const (
	// maxFailures is how many wrong MACs a context stands before it is replaced (chosen).
	maxFailures = 1 << 16
	// failuresPerSecond is how many are looked at in one second; the rest of it is dropped
	// unverified (chosen): a 32-bit MAC-I must not be guessed at the speed of the network.
	failuresPerSecond = 50

	// maxHints is how many unauthenticated refusals of an attempt are told to people (chosen).
	maxHints = 8

	// A peer's requests: so many at once, and one more in each interval (T35).
	requestBurst    = 10
	requestInterval = 500 * time.Millisecond
)

// budget bounds the verification of forgeries. It never ends a link (T35).
type budget struct {
	second time.Time // when the current one began
	failed int       // in it
	total  int
}

// spent tells whether nothing more is verified in this second.
func (b *budget) spent(now time.Time) bool {
	if passed := now.Sub(b.second); passed >= time.Second || passed < 0 {
		b.second, b.failed = now, 0
	}
	return b.failed >= failuresPerSecond
}

func (b *budget) fail() {
	b.failed++
	b.total++
}

// bucket bounds what an authenticated peer may ask for. The zero value is full.
type bucket struct {
	used int
	at   time.Time // when used was right
}

func (b *bucket) take(now time.Time) bool {
	if passed := now.Sub(b.at); passed >= requestInterval {
		b.used = max(0, b.used-int(min(passed/requestInterval, requestBurst)))
		b.at = now
	}
	if b.used >= requestBurst {
		return false
	}
	b.used++
	return true
}
