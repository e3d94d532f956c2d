package dataplane

import "time"

const (
	// denseEach: packets that come more often than one in this time, fifty thousand a second, are dense. Chosen: a stream of
	// 10 Gbit/s has twenty thousand super-packets, and hardly more acknowledgements.
	denseEach = 20 * time.Microsecond
	// denseEnough is so many in one turn that the turn itself costs little. Chosen: two reads of a Ring, two full records.
	denseEnough = 48
	// densePause is how long the worker then stays away, besides the kernel's timer slack, which is 50 µs: about what
	// network cards take for the same.
	densePause = 50 * time.Microsecond
)

// moderation keeps the sending worker from being woken for each of many packets, as network cards do with their
// interrupts. It takes nothing from a packet that comes alone, and nothing from super-packets; what has a small slot is small
// here, up to packets of full size.
type moderation struct {
	last         time.Time // turn
	large, small int       // packets since, by their slots
}

// due tells, after a turn that has left nothing, whether to pause before the next one.
func (m *moderation) due(now time.Time) bool {
	n, since := m.small, now.Sub(m.last)
	dense := m.large == 0 && n < denseEnough && since < time.Duration(n)*denseEach
	*m = moderation{last: now}
	return dense
}
