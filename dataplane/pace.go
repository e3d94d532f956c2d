package dataplane

import (
	"sync"
	"time"
)

// pace lets so many things of a link happen in a second.
type pace struct {
	mu    sync.Mutex // guards the fields below
	since time.Time
	taken int
}

// take is true for the first ones of each second.
func (p *pace) take(now time.Time, most int) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if now.Sub(p.since) >= time.Second {
		p.since, p.taken = now, 0
	}
	if p.taken >= most {
		return false
	}
	p.taken++
	return true
}
