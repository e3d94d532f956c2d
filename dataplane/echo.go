package dataplane

import (
	"fmt"
	"net/netip"

	"pc5d/dataplane/record"
	"pc5d/dataplane/suite"
	"pc5d/dataplane/udp"
	"pc5d/dataplane/underlay"
)

const (
	// answersInSecond and echoesInSecond are how many requests of a peer are answered, and how many of
	// its answers are told (chosen).
	answersInSecond, echoesInSecond = 20, 20
	// answerShare keeps answers out of a send buffer that is in use: nobody waits for room.
	answerShare udp.Share = 2
)

// SendEcho sends an ECHO request in a record with so many octets of content, a multiple of 128, under the
// names and keys that the link sends with; the zero address is where its records go. udp.ErrTooLong says
// that this host takes no such record. The answer comes by Config.Echoed.
func (l *Link) SendEcho(to netip.AddrPort, token record.Token, contentLen int) error {
	if contentLen < record.EchoAnswerLen || contentLen > record.ContentLen || contentLen%record.EchoAnswerLen != 0 {
		return fmt.Errorf("dataplane: link %s: local echo of %d octets", l.name, contentLen)
	}
	out, datagram, err := l.sealEcho(record.Echo{Token: token}, contentLen)
	if err != nil {
		return err
	}
	if !to.IsValid() {
		to = out.to
	}
	if err := out.conn.Send(to, datagram, len(datagram), 0); err != nil {
		return err
	}
	l.sent.add(0, 0, 1)
	return nil
}

// sealEcho makes the record. The lock keeps the keys from being wiped meanwhile.
func (l *Link) sealEcho(e record.Echo, contentLen int) (*outlet, []byte, error) {
	l.engine.mu.Lock()
	defer l.engine.mu.Unlock()
	k := l.sending.Load()
	if k == nil || k.standard {
		return nil, nil, fmt.Errorf("dataplane: link %s has no records to send", l.name)
	}
	out, datagram, ok := k.echo(e, make([]byte, 0, record.Overhead+contentLen), contentLen)
	if !ok {
		return nil, nil, fmt.Errorf("dataplane: link %s: local key is at its end", l.name)
	}
	return out, datagram, nil
}

// echo appends a record with an ECHO frame to b, which has room for it. Suites seal for several
// goroutines at a time: what belongs to one record is in its Item.
func (k *keyContext) echo(e record.Echo, b []byte, contentLen int) (*outlet, []byte, bool) {
	g := k.send.reserve(1, blocksOf(contentLen), 0)
	if g.records == 0 {
		return nil, nil, false
	}
	h := record.Header{Header: g.outlet.header(underlay.DRBSparse), Session: g.outlet.id.Session, Count: g.first}
	b = h.AppendTo(b)
	var content [record.ContentLen]byte
	e.AppendTo(content[:0])
	one := []suite.Item{{Count: uint64(g.first), AAD: b, Text: content[:contentLen], Dst: b[len(b):]}}
	k.send.suite.Seal(one)
	return g.outlet, b[:len(b)+len(one[0].Dst)], one[0].OK
}

// echo takes the current frame of a record, and answers a request. The answer goes where the link sends
// to, whoever sent the request: it says that the peer's records arrive.
func (r *receiver) echo(k *keyContext, frames *record.Frames, content int) {
	e, ok := frames.Echo()
	l, now := k.link, r.engine.config.Now()
	switch {
	case !ok:
		l.drops.add(DropBadFrame, 1)
	case e.Answer && l.echoes.take(now, echoesInSecond):
		r.notices.echo(l, e.Token)
	case e.Answer || content < record.EchoAnswerLen || !l.answers.take(now, answersInSecond):
		l.drops.add(DropEcho, 1)
	default:
		r.answer(l, e.Token)
	}
}

// answer sends an answer, unless there is no room for it now: the peer asks again.
func (r *receiver) answer(l *Link, token record.Token) {
	k := l.sending.Load()
	if k == nil || k.standard {
		return
	}
	var room [record.Overhead + record.EchoAnswerLen]byte
	out, datagram, ok := k.echo(record.Echo{Answer: true, Token: token}, room[:0], record.EchoAnswerLen)
	if !ok || out.conn.Answer(out.to, datagram, answerShare) != nil {
		l.drops.add(DropEcho, 1)
		return
	}
	l.sent.add(0, 0, 1)
}
