package daemon

import (
	"cmp"
	"runtime"
	"time"
)

// Limits bound what strangers can take, and peers before they are established. A field that is zero
// has its default (threat model, section 4; docs/floods.md).
type Limits struct {
	HalfOpen          int // responders whose peer is not authenticated yet
	HalfOpenPerSource int // of them, of one source: a /32 or a /64
	Spent             int // conversations that ended and are remembered for a cookie's life

	Handshakes Rate // of one source; one that authenticates is not counted
	TLS        Rate // full authentications that the node begins
	Sources    int  // slots of the table of sources; a multiple of 4
	Talkers    int  // counters of those who ask while the socket's buffer is filled

	Waiting  int // admissions that wait for a machine
	Inbox    int // datagrams that wait for one machine
	Answers  int // responders of one request to everybody that are followed at a time
	Attempts int // own attempts under way to one address; further ones wait
	Sessions int // attempts of one link at a time, its peer's included

	LogEvery time.Duration // between two lines of one reason
}

// Rate is so many in a second, and so many at once.
type Rate struct{ PerSecond, Burst int }

// tlsPerCore is how many full authentications a second may begin for each core.
const tlsPerCore = 500

// orDefaults fills what is zero.
func (l Limits) orDefaults() Limits {
	tls := tlsPerCore * runtime.NumCPU()
	return Limits{
		HalfOpen: cmp.Or(l.HalfOpen, 512), HalfOpenPerSource: cmp.Or(l.HalfOpenPerSource, 8), Spent: cmp.Or(l.Spent, 4096),
		Handshakes: cmp.Or(l.Handshakes, Rate{PerSecond: 5, Burst: 10}), TLS: cmp.Or(l.TLS, Rate{PerSecond: tls, Burst: tls / 5}),
		Sources: cmp.Or(l.Sources, 65536), Talkers: cmp.Or(l.Talkers, 16384),
		Waiting: cmp.Or(l.Waiting, 256), Inbox: cmp.Or(l.Inbox, 64), Answers: cmp.Or(l.Answers, 64), Attempts: cmp.Or(l.Attempts, 8),
		Sessions: cmp.Or(l.Sessions, 8),
		LogEvery: cmp.Or(l.LogEvery, time.Second),
	}
}

// allowance counts by a rate: it is the time at which all of the burst will be there again, in ns
// from an instant that its owner chose. The zero allowance is full.
type allowance int64

func (r Rate) interval() int64 { return int64(time.Second) / int64(r.PerSecond) }

// has tells whether one is left.
func (r Rate) has(a allowance, now int64) bool {
	return max(int64(a), now)-now <= int64(r.Burst-1)*r.interval()
}

// hasHalf tells whether more than half of the burst is left.
func (r Rate) hasHalf(a allowance, now int64) bool {
	return max(int64(a), now)-now <= int64((r.Burst-1)/2)*r.interval()
}

// take takes one where one is left.
func (r Rate) take(a *allowance, now int64) bool {
	if !r.has(*a, now) {
		return false
	}
	*a = allowance(max(int64(*a), now) + r.interval())
	return true
}

// giveBack gives one back that was taken.
func (r Rate) giveBack(a *allowance) { *a -= allowance(r.interval()) }
