package link_test

import (
	"bytes"
	"errors"
	"net/netip"
	"slices"
	"testing"
	"time"

	"pc5d/daemon/auth/cookie"
	"pc5d/daemon/auth/kei"
	"pc5d/daemon/keys"
	"pc5d/daemon/link"
	"pc5d/daemon/pc5s"
	"pc5d/dataplane/pdcp"
	"pc5d/dataplane/underlay"
)

// inClear is a message for the broadcast L2 ID.
func inClear(sdu []byte) []byte {
	h := underlay.Header{Form: underlay.FormPDCP, Destination: underlay.Broadcast, Source: 0xA11CE, LCID: underlay.SRB0}
	return pdcp.AppendUnprotected(h.AppendTo(nil), 0, sdu)
}

// sduOf is the message of a datagram in clear.
func sduOf(datagram []byte) []byte { return datagram[underlay.HeaderLen+2:] }

// knocks are datagrams of strangers by what is wrong with them, at bob's door, who keeps a key with
// alice.
func knocks(t *testing.T) (*pair, map[string][]byte) {
	t.Helper()
	p := newPair(t)
	p.establish(t)
	first := slices.Clone(p.sent)
	p.again(t)
	id := p.a.kept.entries[0].ID
	p.start()
	resuming := bytes.Clone(p.sent[0])
	p.a.machine.Abandon(link.ErrCancelled)
	msg, err := pc5s.Parse(bytes.Clone(sduOf(resuming)))
	if err != nil {
		t.Fatal(err)
	}
	request := msg.(*pc5s.DirectLinkEstablishmentRequest)
	altered := func(change func(*pc5s.DirectLinkEstablishmentRequest, *kei.Offer)) []byte {
		r := *request
		offer, err := kei.ParseOffer(bytes.Clone(request.KeyEstablishmentInfo))
		if err != nil {
			t.Fatal(err)
		}
		change(&r, offer)
		r.KeyEstablishmentInfo = offer.AppendTo(nil)
		return inClear(pc5s.Marshal(&r))
	}
	return p, map[string][]byte{
		"a request": first[0],
		"an unknown K_NRP ID": altered(func(r *pc5s.DirectLinkEstablishmentRequest, _ *kei.Offer) {
			other := uint32(id) + 1
			r.KNRPID = &other
		}),
		"a bad binder": altered(func(_ *pc5s.DirectLinkEstablishmentRequest, o *kei.Offer) { o.Binder[3] ^= 1 }),
		"an unknown tag": altered(func(r *pc5s.DirectLinkEstablishmentRequest, o *kei.Offer) {
			r.KNRPID, o.KeyTag = nil, &[kei.TagLen]byte{1}
		}),
		"an old cookie":  first[2],
		"another target": altered(func(r *pc5s.DirectLinkEstablishmentRequest, _ *kei.Offer) { r.TargetUserInfo = []byte("carol") }),
		"no method":      altered(func(_ *pc5s.DirectLinkEstablishmentRequest, o *kei.Offer) { o.Methods = nil }),
		"other message":  inClear(pc5s.Marshal(&pc5s.DirectLinkReleaseRequest{})),
		"no message":     inClear([]byte{0xEE, 1, 2, 3}),
		"nothing":        inClear(nil),
		"half a header":  first[0][:5],
		"resuming":       resuming,
	}
}

// TestT30_AdmissionAllocatesNothing: a request that is answered by a cookie, with an unknown key or a
// wrong proof, a response with a bad cookie, which is answered by a new one, and garbage cost no memory,
// wherever they are cut and whichever octet is another one.
func TestT30_AdmissionAllocatesNothing(t *testing.T) {
	p, all := knocks(t)
	defer p.close()
	delete(all, "resuming")
	later := p.now.Add(cookie.Life + time.Second)
	p.b.admission.Receive(later, p.a.address, all["a request"]) // the first one makes room
	for name, d := range all {
		answer, admitted, err := p.b.admission.Receive(later, p.a.address, d)
		if answered := slices.Contains([]string{"a request", "an unknown K_NRP ID", "a bad binder", "an unknown tag", "an old cookie"}, name); answered != (err == nil && len(answer) > 0) || admitted != nil {
			t.Errorf("%s: answer of %d octets, admitted %v, %v", name, len(answer), admitted, err)
		}
		if len(answer) > len(d) {
			t.Errorf("%s: %d octets are answered by %d (T34)", name, len(d), len(answer))
		}
		for n := range len(d) + 1 {
			cut := bytes.Clone(d[:n])
			wrong := bytes.Clone(d)
			if n < len(d) {
				wrong[n] ^= 0x55
			}
			if allocs := testing.AllocsPerRun(3, func() {
				p.b.admission.Receive(later, p.a.address, cut)
				p.b.admission.Receive(later, p.a.address, wrong)
			}); allocs != 0 {
				t.Fatalf("%s, octet %d: %v allocations", name, n, allocs)
			}
		}
	}
}

// TestT30_ReplayedKey: a request that proved its key and comes again, from anywhere and at any time, costs
// no memory either, nor does a response with its copy and a cookie of nobody's: under a pre-shared key
// what was recorded once proves the key for ever.
func TestT30_ReplayedKey(t *testing.T) {
	p, all := knocks(t)
	defer p.close()
	p.b.door.UnderWay = func(netip.AddrPort, underlay.LayerTwoID, [8]byte) bool { return false }
	p.b.admission = link.NewAdmission(p.b.door)
	resuming := all["resuming"]
	if _, admitted, err := p.b.admission.Receive(p.now, p.a.address, resuming); err != nil || admitted == nil || admitted.Repeated {
		t.Fatalf("the first one: %v, %v", admitted, err)
	}
	response := kei.Container{
		Method: kei.PSKDHE, Tag: kei.Tag(sduOf(resuming)), AckOnly: true, HasCookie: true, Cookie: make([]byte, cookie.Len),
		HasRequest: true, Request: sduOf(resuming),
	}
	elsewhere := netip.MustParseAddrPort("198.51.100.9:9")
	for name, d := range map[string][]byte{
		"request":  resuming,
		"response": inClear(pc5s.Marshal(&pc5s.DirectLinkAuthenticationResponse{KeyEstablishmentInfo: response.AppendTo(nil)})),
	} {
		answer, admitted, err := p.b.admission.Receive(p.now, elsewhere, d)
		if err != nil || admitted != nil || len(answer) == 0 {
			t.Errorf("%s: answer of %d octets, %v, %v", name, len(answer), admitted, err)
		}
		if allocs := testing.AllocsPerRun(10, func() { p.b.admission.Receive(p.now, elsewhere, d) }); allocs != 0 {
			t.Errorf("%s: %v allocations", name, allocs)
		}
	}
}

// TestT34_CommandWithoutCookie: the command that answers a request which proved a key is not longer
// than the least request that is answered so; a shorter one gets the cookie.
func TestT34_CommandWithoutCookie(t *testing.T) {
	p := newPair(t)
	defer p.close()
	p.establish(t)
	p.again(t)
	p.establish(t)
	if command := len(p.sent[1]); command > link.MinResumed || len(p.sent[0]) < link.MinResumed {
		t.Errorf("a request of %d octets, at least %d, is answered by %d", len(p.sent[0]), link.MinResumed, command)
	}
}

// TestT34_NoSecondCommand: who proved a key but no address, and asks for another command by a reject
// that is shorter, gets none.
func TestT34_NoSecondCommand(t *testing.T) {
	p := newPair(t)
	defer p.close()
	p.establish(t)
	p.again(t)
	p.start()
	p.arrive()
	before := len(p.sent)
	reject := p.a.machine.Clear(&pc5s.DirectLinkSecurityModeReject{SequenceNumber: 7, Cause: pc5s.CauseLSBConflict})
	local, _ := p.b.machine.LayerTwoIDs()
	reject[1], reject[2], reject[3] = byte(local>>16), byte(local>>8), byte(local)
	p.receive(p.b, transit{p.a.address, p.b.address, reject})
	if p.b.machine.State() != link.SecurityMode || len(p.sent) != before {
		t.Errorf("%v, %d datagrams for a reject", p.b.machine.State(), len(p.sent)-before)
	}
	p.settle()
	if p.a.machine.State() != link.Established {
		t.Errorf("the genuine peer is %v", p.a.machine.State())
	}
}

// TestT05_TimestampSetBack: a request whose time is not newer than the last one under its key goes
// through the cookie round, and is then resumed all the same: the clock may have been set back.
func TestT05_TimestampSetBack(t *testing.T) {
	for name, late := range map[string]func(*pair){
		"by ID":  func(*pair) {},
		"by tag": func(p *pair) { p.a.link.PrivateIdentity = true },
	} {
		p := newPair(t)
		late(p)
		p.establish(t)
		p.again(t)
		p.b.kept.Accept(p.b.kept.entries[0], 1<<63)
		p.establish(t)
		n := p.messages(t)
		if n[pc5s.MessageDirectLinkAuthenticationRequest] != 1 || n[pc5s.MessageDirectLinkAuthenticationResponse] != 1 || len(p.sent) != 6 {
			t.Errorf("%s: %d datagrams, %v", name, len(p.sent), n)
		}
		p.close()
	}
}

// TestT30_ManyCandidates: with more keys than are searched for a stranger, a tag is looked for after
// the cookie only; with an ID there is nothing to search.
func TestT30_ManyCandidates(t *testing.T) {
	for name, c := range map[string]struct {
		private   bool
		others    int
		datagrams int
	}{"tag, few": {true, 15, 4}, "tag, many": {true, 16, 6}, "ID, many": {false, 16, 4}} {
		p := newPair(t)
		p.a.link.PrivateIdentity = c.private
		p.establish(t)
		p.again(t)
		for i := range c.others {
			other := p.b.kept.entries[i]
			other.ID, other.Service, other.Key = keys.KNRPID(i), "other", keys.ResumptionKey{Secret: keys.NewSecret(bytes.Repeat([]byte{byte(i)}, keys.ResumptionKeyLen))}
			p.b.kept.entries = slices.Insert(p.b.kept.entries, 0, other)
		}
		p.establish(t)
		if len(p.sent) != c.datagrams {
			t.Errorf("%s: %d datagrams, want %d", name, len(p.sent), c.datagrams)
		}
		p.close()
	}
}

// TestT31_NoCookieWithoutSecret: where the random source has failed, strangers are dropped, and the
// reason is told.
func TestT31_NoCookieWithoutSecret(t *testing.T) {
	jar, err := cookie.New(bytes.NewReader(make([]byte, 64)), epoch)
	if err != nil {
		t.Fatal(err)
	}
	p := newPair(t)
	defer p.close()
	p.start()
	door := link.NewAdmission(link.AdmissionConfig{Local: p.b.config.Auth.Local(), Jar: jar, Links: p.b, Kept: p.b.kept})
	if answer, _, err := door.Receive(epoch, p.a.address, p.sent[0]); err != nil || len(answer) == 0 {
		t.Errorf("with a secret: %v", err)
	}
	if answer, admitted, err := door.Receive(epoch.Add(time.Minute), p.a.address, p.sent[0]); !errors.Is(err, link.DropNoCookie) || answer != nil || admitted != nil {
		t.Errorf("without: %x, %v", answer, err)
	}
}

// BenchmarkAdmission is what a stranger's datagram costs.
func BenchmarkAdmission(b *testing.B) {
	p := newPair(b)
	defer p.close()
	p.start()
	from := netip.MustParseAddrPort("192.0.2.9:9")
	b.ReportAllocs()
	for b.Loop() {
		p.b.admission.Receive(p.now, from, p.sent[0])
	}
}
