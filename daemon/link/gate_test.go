package link_test

import (
	"bytes"
	"testing"
	"time"

	"pc5d/daemon/keys"
	"pc5d/daemon/link"
)

// shut gives an end a gate.
func (e *end) shut() {
	e.door.Gate = true
	e.admission = link.NewAdmission(e.door)
}

// TestT20_Gate: who knows the fingerprint, or a key, gets through a gate by each method.
func TestT20_Gate(t *testing.T) {
	for name, make1 := range map[string]func(testing.TB) *pair{"certificate": newPair, "pre-shared": newPreShared} {
		for _, private := range []bool{false, true} {
			p := make1(t)
			p.a.link.PrivateIdentity = private
			p.b.shut()
			p.establish(t)
			p.again(t)
			p.establish(t)
			if len(p.sent) != 4 {
				t.Errorf("%s: %d datagrams the second time", name, len(p.sent))
			}
			p.close()
		}
	}
}

// TestT20_ProberGetsNothing: no request of somebody who does not know the fingerprint, and no
// response, is answered: neither a made one, nor a recorded one that was changed.
func TestT20_ProberGetsNothing(t *testing.T) {
	probe := func(t *testing.T, p *pair, what string, datagram []byte) {
		t.Helper()
		answer, admitted, err := p.b.admission.Receive(p.now, p.a.address, datagram)
		if answer != nil || admitted != nil || err == nil {
			t.Errorf("%s: %d octets of answer, admitted %v, %v", what, len(answer), admitted != nil, err)
		}
	}
	recorded := newPair(t)
	defer recorded.close()
	recorded.establish(t)
	shared := newPreShared(t)
	defer shared.close()
	shared.establish(t)
	for name, p := range map[string]*pair{"certificate": recorded, "pre-shared": shared} {
		p.b.shut()
		for i, d := range p.sent {
			if d[7] != 0 || i > 2 || i == 1 { // the request and the first response: what a stranger can send
				continue
			}
			for bit := range 8 * len(d) {
				changed := bytes.Clone(d)
				changed[bit/8] ^= 0x80 >> (bit % 8)
				answer, admitted, _ := p.b.admission.Receive(p.now, p.a.address, changed)
				inside := bit/8 >= 12 // behind header and sequence numbers, which nobody's request is made of
				if i == 0 && inside && (answer != nil || admitted != nil) {
					t.Errorf("%s, bit %d of datagram %d: %d octets of answer", name, bit, i, len(answer))
				}
			}
		}
	}
	stranger := newPair(t)
	defer stranger.close()
	stranger.a.link.Pins = nil
	stranger.start()
	probe(t, recorded, "no gate", stranger.sent[0])
	stranger = newPair(t)
	defer stranger.close()
	stranger.a.link.Pins[0][0] ^= 1
	stranger.start()
	probe(t, recorded, "another fingerprint", stranger.sent[0])
	other := newPreShared(t)
	defer other.close()
	other.a.share(bytes.Repeat([]byte{9, 4}, 16))
	other.start()
	probe(t, shared, "another pre-shared key", other.sent[0])
}

// counting tells how many keys were looked at.
type counting struct {
	link.KeptKeys
	looked int
}

func (c *counting) PeekAt(n int, into *link.KeptKey) bool {
	c.looked++
	return c.KeptKeys.PeekAt(n, into)
}

// crowd lets bob, who has a kept key with alice, keep many more, and counts what is looked at.
func crowd(t *testing.T) (*pair, *counting) {
	t.Helper()
	p := newPair(t)
	p.a.link.PrivateIdentity = true
	p.establish(t)
	p.again(t)
	for i := range others {
		other := p.b.kept.entries[len(p.b.kept.entries)-1]
		other.ID, other.Service, other.Key = keys.KNRPID(i), "other", keys.ResumptionKey{Secret: keys.NewSecret(bytes.Repeat([]byte{byte(i), byte(i >> 8)}, keys.ResumptionKeyLen/2))}
		p.b.kept.entries = append(p.b.kept.entries, other)
	}
	seen := &counting{KeptKeys: p.b.kept}
	p.b.door.Kept = seen
	p.b.admission = link.NewAdmission(p.b.door)
	return p, seen
}

const others = 1000

// TestT30_SearchBehindAGate: behind a gate nobody is asked for a cookie before his tag is compared with
// all keys, so what strangers cost is bounded for each second. In the next one who has a key gets through.
func TestT30_SearchBehindAGate(t *testing.T) {
	p, seen := crowd(t)
	defer p.close()
	p.b.shut()
	stranger := newPreShared(t)
	defer stranger.close()
	stranger.a.share(bytes.Repeat([]byte{9, 4}, 16))
	stranger.start()
	for range 1000 {
		p.b.admission.Receive(p.now, stranger.a.address, stranger.sent[0])
	}
	if seen.looked < others || seen.looked > link.ComparisonsPerSecond+others {
		t.Errorf("1000 datagrams were compared with %d keys", seen.looked)
	}
	p.now = p.now.Add(time.Second)
	p.establish(t)
	if len(p.sent) != 4 {
		t.Errorf("%d datagrams of who has a key", len(p.sent))
	}
}

// TestT32_SearchAfterACookie: so is what those cost who have proved their address, who may send one
// response as often as they like.
func TestT32_SearchAfterACookie(t *testing.T) {
	p, seen := crowd(t)
	defer p.close()
	stranger := newPreShared(t)
	defer stranger.close()
	stranger.a.share(bytes.Repeat([]byte{9, 4}, 16))
	stranger.start()
	answer, _, err := p.b.admission.Receive(p.now, stranger.a.address, stranger.sent[0])
	if err != nil || len(answer) == 0 {
		t.Fatalf("no cookie: %v", err)
	}
	if err := stranger.a.machine.Receive(stranger.now, stranger.b.address, bytes.Clone(answer)); err != nil {
		t.Fatal(err)
	}
	stranger.drain(stranger.a)
	response := stranger.sent[len(stranger.sent)-1]
	for range 1000 {
		p.b.admission.Receive(p.now, stranger.a.address, response)
	}
	if seen.looked < others || seen.looked > link.ComparisonsPerSecond+others {
		t.Errorf("1000 datagrams were compared with %d keys", seen.looked)
	}
	p.now = p.now.Add(time.Second)
	p.establish(t)
	if len(p.sent) != 6 {
		t.Errorf("%d datagrams of who has a key", len(p.sent))
	}
}
