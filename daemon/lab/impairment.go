package lab

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"time"
)

// Impairment is what a Wire does to the packets of each direction. The zero value does nothing.
type Impairment struct {
	Lose, Double, Hold float64       // which part of the packets, by chance
	Depth              int           // a held packet, or a copy, comes after 1 to Depth later ones
	Longest            time.Duration // or when something has been held for so long
}

// check refuses what means nothing.
func (i Impairment) check() error {
	for _, part := range []float64{i.Lose, i.Double, i.Hold} {
		if !(part >= 0 && part <= 1) {
			return fmt.Errorf("impairment: %v is no part of the packets: give one from 0 to 1", part)
		}
	}
	if i.Double+i.Hold > 0 && (i.Depth < 1 || i.Longest <= 0) {
		return fmt.Errorf("impairment: to hold packets back it needs a depth and a longest time, not %d and %v", i.Depth, i.Longest)
	}
	return nil
}

// Carried counts the packets of one direction of a Wire.
type Carried struct{ Packets, Lost, Doubled, Held uint64 }

// shuffle does to a sequence of packets what its numbers by chance say: the same to each packet of the
// same number, whatever the time. It is one goroutine's.
type shuffle struct {
	Impairment
	chance *rand.Rand
	out    func(packet []byte)
	held   [][][]byte // by the number of the packet that they leave after, modulo its length
	number int
	inside int       // packets in held
	due    time.Time // when all of them leave
	done   Carried
}

func newShuffle(i Impairment, chance *rand.Rand, out func([]byte)) *shuffle {
	return &shuffle{Impairment: i, chance: chance, out: out, held: make([][][]byte, i.Depth+1)}
}

// take treats the next packet and lets those go that were to come after it.
func (s *shuffle) take(packet []byte, now time.Time) {
	lost, doubled, held := s.chance.Float64() < s.Lose, s.chance.Float64() < s.Double, s.chance.Float64() < s.Hold
	s.done.Packets++
	switch {
	case lost:
		s.done.Lost++
		doubled = false
	case held:
		s.done.Held++
		s.hold(packet, now)
	default:
		s.out(packet)
	}
	if doubled {
		s.done.Doubled++
		s.hold(packet, now)
	}
	s.leave(s.number % len(s.held))
	s.number++
}

func (s *shuffle) hold(packet []byte, now time.Time) {
	if s.inside == 0 {
		s.due = now.Add(s.Longest)
	}
	s.inside++
	at := (s.number + 1 + s.chance.IntN(s.Depth)) % len(s.held)
	s.held[at] = append(s.held[at], bytes.Clone(packet))
}

func (s *shuffle) leave(at int) {
	for _, packet := range s.held[at] {
		s.out(packet)
	}
	s.inside -= len(s.held[at])
	s.held[at] = nil
}

// wake is when expire has something to do; zero: never.
func (s *shuffle) wake() time.Time {
	if s.inside == 0 {
		return time.Time{}
	}
	return s.due
}

// expire lets all go that has waited for too long, with those that came after it.
func (s *shuffle) expire(now time.Time) {
	if s.inside > 0 && !now.Before(s.due) {
		s.release()
	}
}

// release lets all go that is held, in the order in which it would have left.
func (s *shuffle) release() {
	for i := range s.held {
		s.leave((s.number + i) % len(s.held))
	}
}
