package authbench

import (
	"crypto/tls"
	"errors"
	"runtime"

	"pc5d/daemon/auth/kei"
	"pc5d/daemon/link"
	"pc5d/daemon/pc5s"
	"pc5d/dataplane/pdcp"
	"pc5d/dataplane/underlay"
)

// HalfOpen is what a responder holds that has answered the client's first flight and waits for the
// second one: octets of one, on the heap and in the stack of its helper.
type HalfOpen struct {
	Responders  int
	Heap, Stack int64
}

// Total is all of it.
func (h HalfOpen) Total() int64 { return h.Heap + h.Stack }

// halfOpen makes so many responders and looks at the memory before and after.
func halfOpen(n int, groups []tls.CurveID) (HalfOpen, error) {
	f, err := newFull(groups)
	if err != nil {
		return HalfOpen{}, err
	}
	defer f.close()
	open := make([]*link.Machine, n+1)
	defer func() { abandon(open...) }()
	var before runtime.MemStats
	for i := range open {
		if open[i], err = f.leave(); err != nil {
			return HalfOpen{}, err
		}
		if i == 0 { // with it came what is made once only
			before = memory()
		}
	}
	after := memory()
	return HalfOpen{Responders: n, Heap: perResponder(after.HeapAlloc, before.HeapAlloc, n), Stack: perResponder(after.StackInuse, before.StackInuse, n)}, nil
}

func perResponder(after, before uint64, n int) int64 {
	return (int64(after) - int64(before)) / int64(n)
}

// memory is what is in use after collection; the second one frees what the first one has emptied.
func memory() runtime.MemStats {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m
}

// leave makes a responder whose initiator goes away after its first flight.
func (f *full) leave() (*link.Machine, error) {
	c, err := f.begin()
	if err != nil {
		return nil, err
	}
	defer abandon(c.a)
	for len(c.sent) > 0 {
		if d := c.sent[0]; c.b != nil && !d.fromA && answersFlight(d.octets) {
			return c.b, nil
		}
		if err := c.step(); err != nil {
			abandon(c.b)
			return nil, err
		}
	}
	abandon(c.b)
	return nil, errors.New("the responder did not answer the first flight")
}

// answersFlight tells whether a datagram of B has a fragment of its flight.
func answersFlight(octets []byte) bool {
	_, pdu, err := underlay.Parse(octets)
	if err != nil {
		return false
	}
	_, sdu, err := pdcp.ParseUnprotected(pdu)
	if err != nil {
		return false
	}
	msg, err := pc5s.Parse(sdu)
	if err != nil {
		return false
	}
	request, ok := msg.(*pc5s.DirectLinkAuthenticationRequest)
	if !ok {
		return false
	}
	c, err := kei.Parse(request.KeyEstablishmentInfo)
	return err == nil && len(c.Fragment) > 0
}
