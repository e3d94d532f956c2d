package authbench

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"time"

	"pc5d/daemon/auth"
	"pc5d/daemon/kept"
	"pc5d/daemon/keys"
	"pc5d/daemon/link"
)

// batch is how many responders are open at a time.
const batch = 50

// Resumption is re-establishment from kept keys: processor time of the responder alone.
type Resumption struct {
	Peers, Rounds int
	Responder     time.Duration // median of the rounds, of one
	PerSecond     float64       // of one core
}

// resumption is a node, and the peers with which it keeps a key.
type resumption struct {
	b     *end
	peers []*end
}

func newResumption(peers int) (*resumption, error) {
	b, err := newEnd("bob", "192.0.2.2:33536", auth.Classic())
	if err != nil {
		return nil, err
	}
	r := &resumption{b: b}
	for i := range peers {
		a, err := newEnd(fmt.Sprintf("alice-%d", i), "192.0.2.1:33536", auth.Classic())
		if err != nil {
			return nil, err
		}
		a.knows(b)
		b.knows(a)
		shareKey(keys.KNRPID(i+1), a, b)
		r.peers = append(r.peers, a)
	}
	return r, nil
}

// shareKey stands for an earlier link of two nodes.
func shareKey(id keys.KNRPID, a, b *end) {
	key := make([]byte, keys.ResumptionKeyLen)
	rand.Read(key)
	now := time.Now()
	for _, of := range [][2]*end{{a, b}, {b, a}} {
		at, peer := of[0], of[1].auth.Local()
		at.store.Put(kept.Entry{
			ID: id, Peer: peer.Name, Fingerprint: peer.Fingerprint, Service: service, Made: now, Authenticated: now,
			Key: keys.ResumptionKey{Secret: keys.NewSecret(key)},
		})
	}
}

// resume measures until the rounds took so much processor time.
func resume(ctx context.Context, total time.Duration, peers int) (Resumption, error) {
	r, err := newResumption(peers)
	if err != nil {
		return Resumption{}, err
	}
	defer r.close()
	if _, err := r.round(); err != nil { // warms up
		return Resumption{}, err
	}
	var costs []time.Duration
	for spent := time.Duration(0); len(costs) < fewestRounds || spent < total; {
		if err := ctx.Err(); err != nil {
			return Resumption{}, err
		}
		took, err := r.round()
		if err != nil {
			return Resumption{}, err
		}
		if took <= 0 {
			return Resumption{}, errors.New("re-establishment took no processor time that the kernel can tell: measure more peers")
		}
		spent += took
		costs = append(costs, took/time.Duration(peers))
	}
	m := median(costs)
	return Resumption{Peers: peers, Rounds: len(costs), Responder: m, PerSecond: float64(time.Second) / float64(m)}, nil
}

func (r *resumption) close() {
	r.b.close()
	for _, a := range r.peers {
		a.close()
	}
}

// attempt is one re-establishment.
type attempt struct {
	from                               *end
	a, b                               *link.Machine
	request, command, complete, accept []byte
}

// round lets each peer come once. The requests are made beforehand.
func (r *resumption) round() (spent time.Duration, err error) {
	attempts := make([]*attempt, len(r.peers))
	for i, a := range r.peers {
		m, sent, err := a.initiate(r.b)
		if err != nil {
			return 0, err
		}
		attempts[i] = &attempt{from: a, a: m, request: sent[0]}
	}
	runtime.GC()
	for some := range slices.Chunk(attempts, batch) {
		took, err := r.serve(some)
		if err != nil {
			return 0, err
		}
		spent += took
	}
	return spent, nil
}

// serve gives the cost of a batch at the responder: of what its requests and its completes take.
func (r *resumption) serve(some []*attempt) (time.Duration, error) {
	first, err := cost(each(some, r.request))
	if err != nil {
		return 0, err
	}
	if err := each(some, r.command)(); err != nil {
		return 0, err
	}
	second, err := cost(each(some, r.complete))
	if err != nil {
		return 0, err
	}
	return first + second, each(some, r.accept)()
}

func each(some []*attempt, step func(*attempt) error) func() error {
	return func() error {
		for _, t := range some {
			if err := step(t); err != nil {
				return fmt.Errorf("re-establishment of %s: %w", t.from.name, err)
			}
		}
		return nil
	}
}

// request is B's first half.
func (r *resumption) request(t *attempt) error {
	m, _, err := r.b.admit(t.from, t.request)
	if err != nil {
		return err
	}
	if m == nil {
		return errors.New("the kept key did not stand for authentication")
	}
	t.b = m
	t.command, err = only(drain(m))
	return err
}

// command is A's step between.
func (r *resumption) command(t *attempt) (err error) {
	t.complete, err = give(t.a, r.b, t.command)
	return err
}

// complete is B's second half.
func (r *resumption) complete(t *attempt) (err error) {
	t.accept, err = give(t.b, t.from, t.complete)
	return err
}

// accept is A's end, and the proof that there was a link.
func (r *resumption) accept(t *attempt) error {
	defer abandon(t.a, t.b)
	if err := t.a.Receive(time.Now(), r.b.address, t.accept); err != nil {
		return err
	}
	if t.a.State() != link.Established || t.b.State() != link.Established {
		return fmt.Errorf("a is %v, b %v", t.a.State(), t.b.State())
	}
	drain(t.a)
	return nil
}

// give delivers a datagram that has one answer.
func give(to *link.Machine, from *end, datagram []byte) ([]byte, error) {
	if err := to.Receive(time.Now(), from.address, datagram); err != nil {
		return nil, err
	}
	return only(drain(to))
}

func only(sent [][]byte) ([]byte, error) {
	if len(sent) != 1 {
		return nil, fmt.Errorf("%d datagrams were sent instead of one", len(sent))
	}
	return sent[0], nil
}
