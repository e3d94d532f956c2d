package link_test

import (
	"testing"
	"time"

	"pc5d/daemon/auth/kei"
	"pc5d/daemon/link"
	"pc5d/daemon/pc5s"
	"pc5d/dataplane/underlay"
)

// scene is a pair stopped at a moment: the subject waits there, and the peer has done all that
// it does before it hears from the subject again. What was under way is lost.
type scene struct {
	*pair
	subject, peer *end
	cookie        []byte // B's stateless answer, where that is what the subject waits for
}

// moment is a column of docs/states.md.
type moment struct {
	name string
	set  func(t testing.TB, p *pair) (subject *end)
}

// until delivers one datagram after the other until ok.
func (p *pair) until(t testing.TB, ok func() bool) {
	t.Helper()
	for !ok() {
		if len(p.queue) == 0 {
			t.Fatal("the moment never comes: nothing is under way")
		}
		p.arrive()
	}
}

// command runs a command of an end's owner.
func (p *pair) command(t testing.TB, e *end, f func(now time.Time) error) {
	t.Helper()
	if err := f(p.now); err != nil {
		t.Fatal(err)
	}
	p.drain(e)
}

// rested is an established link whose next re-keying may start.
func rested(t testing.TB, p *pair) *end {
	p.establish(t)
	p.pass(6 * time.Second)
	return p.a
}

func flows() *pc5s.DirectLinkModificationRequest {
	return &pc5s.DirectLinkModificationRequest{Operation: pc5s.ModificationAddFlows, QoSFlowDescriptions: pc5s.DefaultQoS()}
}

// moments are every state, role and sub-state that a machine can wait in.
func moments() []moment {
	running := func(e *end, want link.Procedure) func() bool {
		return func() bool { return e.machine.Running() == want }
	}
	state := func(e *end, want link.State) func() bool {
		return func() bool { return e.machine != nil && e.machine.State() == want }
	}
	return []moment{
		{"idle A", func(_ testing.TB, p *pair) *end {
			p.a.machine = link.NewInitiator(p.a.config, p.a.link, p.b.address)
			return p.a
		}},
		{"requested A", func(t testing.TB, p *pair) *end {
			p.start()
			p.until(t, func() bool { return len(p.sent) == 2 }) // the cookie is on its way
			return p.a
		}},
		{"auth A", func(t testing.TB, p *pair) *end {
			p.start()
			p.until(t, state(p.b, link.Auth))
			return p.a
		}},
		{"auth A, command due", func(t testing.TB, p *pair) *end {
			p.start()
			p.until(t, state(p.b, link.SecurityMode))
			return p.a
		}},
		{"auth B", func(t testing.TB, p *pair) *end {
			p.start()
			p.until(t, state(p.b, link.Auth))
			p.arrive()
			return p.b
		}},
		{"security_mode B", func(t testing.TB, p *pair) *end {
			p.start()
			p.until(t, state(p.a, link.AwaitAccept))
			return p.b
		}},
		{"await_accept A", func(t testing.TB, p *pair) *end {
			p.start()
			p.until(t, state(p.b, link.Established))
			return p.a
		}},
		{"established A", rested},
		{"established B", func(t testing.TB, p *pair) *end { rested(t, p); return p.b }},
		{"keep-alive asked", func(t testing.TB, p *pair) *end {
			rested(t, p).machine.AskAlive(p.now)
			return p.a
		}},
		{"modify", func(t testing.TB, p *pair) *end {
			rested(t, p)
			p.command(t, p.a, func(now time.Time) error { return p.a.machine.Modify(now, flows()) })
			return p.a
		}},
		{"update_initiator", func(t testing.TB, p *pair) *end {
			rested(t, p)
			p.command(t, p.a, p.a.machine.UpdateIdentifiers)
			p.until(t, running(p.b, link.UpdateTarget))
			return p.a
		}},
		{"update_target", func(t testing.TB, p *pair) *end {
			rested(t, p)
			p.command(t, p.b, p.b.machine.UpdateIdentifiers)
			p.until(t, running(p.a, link.UpdateTarget))
			return p.a
		}},
		{"rekeying_a", func(t testing.TB, p *pair) *end {
			rested(t, p)
			p.command(t, p.a, p.a.machine.Rekey)
			p.until(t, running(p.b, link.RekeyingB))
			return p.a
		}},
		{"rekeying_a, completed", func(t testing.TB, p *pair) *end {
			rested(t, p)
			p.command(t, p.a, p.a.machine.Rekey)
			p.until(t, running(p.b, link.RekeyingB))
			p.arrive()
			return p.a
		}},
		{"rekeying_b", func(t testing.TB, p *pair) *end {
			rested(t, p)
			p.command(t, p.b, p.b.machine.Rekey)
			p.until(t, running(p.a, link.RekeyingB))
			return p.a
		}},
		{"releasing", func(t testing.TB, p *pair) *end {
			rested(t, p).machine.Release(p.now, pc5s.CauseNoLongerNeeded)
			return p.a
		}},
		{"released", func(t testing.TB, p *pair) *end {
			rested(t, p).machine.Abandon(link.ErrCancelled)
			return p.a
		}},
	}
}

// stage brings a new pair to a moment. Time has passed since the subject's last sending, so that
// it may repeat it.
func stage(t testing.TB, m moment) *scene {
	t.Helper()
	p := newPair(t)
	s := &scene{pair: p, subject: m.set(t, p), peer: p.b}
	if s.subject == p.b {
		s.peer = p.a
	}
	p.drain(s.subject)
	if s.peer.machine == nil && len(p.queue) > 0 {
		s.cookie = p.queue[0].datagram
	}
	p.queue = nil
	p.now = p.now.Add(p.a.config.Timers.Quiet)
	return s
}

// put gives the subject a datagram from the peer's address; sent is what it sends at once.
func (s *scene) put(datagram []byte) (sent [][]byte, err error) {
	before := len(s.sent)
	err = s.subject.machine.Receive(s.now, s.peer.address, datagram)
	s.drain(s.subject)
	s.queue = nil
	return s.sent[before:], err
}

// fitting is the message of a type that fits the subject's moment best, as the peer would say it.
func (s *scene) fitting(t testing.TB, kind pc5s.MessageType) pc5s.Message {
	t.Helper()
	n := pc5s.SequenceNumber(77)
	local, msb, next := s.subject.machine.UpdateUnderWay()
	lsb, id, nonce := uint8(0x33), uint16(5), [16]byte{1}
	switch kind {
	case pc5s.MessageDirectLinkEstablishmentRequest:
		offer := kei.Offer{Methods: []kei.Method{kei.TLS13}}
		return &pc5s.DirectLinkEstablishmentRequest{
			SequenceNumber: n, SourceUserInfo: []byte(s.subject.link.Peer), Capabilities: pc5s.Capabilities{0x20, 0x20, 0x80},
			KeyEstablishmentInfo: offer.AppendTo(nil), Nonce1: &nonce, KNRPSessMSB: &lsb, ProSeIdentifiers: pc5s.ServiceIdentifier("ip"),
		}
	case pc5s.MessageDirectLinkEstablishmentAccept:
		return &pc5s.DirectLinkEstablishmentAccept{
			SequenceNumber: n, SourceUserInfo: []byte(s.subject.link.Peer), QoSFlowDescriptions: pc5s.DefaultQoS(),
			UserPlane: pc5s.UserPlaneConfiguration{Integrity: true, Ciphering: true},
		}
	case pc5s.MessageDirectLinkEstablishmentReject:
		return &pc5s.DirectLinkEstablishmentReject{SequenceNumber: n, Cause: pc5s.CauseSecurityPolicyNotAligned}
	case pc5s.MessageDirectLinkModificationRequest:
		r := flows()
		r.SequenceNumber = n
		return r
	case pc5s.MessageDirectLinkModificationAccept:
		return &pc5s.DirectLinkModificationAccept{SequenceNumber: n, QoSFlowDescriptions: pc5s.DefaultQoS()}
	case pc5s.MessageDirectLinkModificationReject:
		return &pc5s.DirectLinkModificationReject{SequenceNumber: n, Cause: pc5s.CauseServiceNotAllowed}
	case pc5s.MessageDirectLinkReleaseRequest:
		return &pc5s.DirectLinkReleaseRequest{SequenceNumber: n, Cause: pc5s.CauseNoLongerNeeded, KNRPIDMSBs: id}
	case pc5s.MessageDirectLinkReleaseAccept:
		return &pc5s.DirectLinkReleaseAccept{SequenceNumber: n, KNRPIDLSBs: id}
	case pc5s.MessageDirectLinkKeepaliveRequest:
		return &pc5s.DirectLinkKeepaliveRequest{SequenceNumber: n, Counter: 9}
	case pc5s.MessageDirectLinkKeepaliveResponse:
		return &pc5s.DirectLinkKeepaliveResponse{SequenceNumber: n, Counter: s.subject.machine.KeepAliveCounter()}
	case pc5s.MessageDirectLinkAuthenticationRequest:
		return &pc5s.DirectLinkAuthenticationRequest{SequenceNumber: n, KeyEstablishmentInfo: s.container(kei.Container{Exchange: 1, Fragment: []byte{1}})}
	case pc5s.MessageDirectLinkAuthenticationResponse:
		return &pc5s.DirectLinkAuthenticationResponse{SequenceNumber: n, KeyEstablishmentInfo: s.container(kei.Container{Exchange: 1, Fragment: []byte{1}})}
	case pc5s.MessageDirectLinkAuthenticationReject:
		return &pc5s.DirectLinkAuthenticationReject{SequenceNumber: n, Cause: pc5s.CauseAuthenticationFailure}
	case pc5s.MessageDirectLinkAuthenticationFailure:
		return &pc5s.DirectLinkAuthenticationFailure{SequenceNumber: n, KeyEstablishmentInfo: s.container(kei.Container{Exchange: 1, Failure: true})}
	case pc5s.MessageDirectLinkSecurityModeCommand:
		return &pc5s.DirectLinkSecurityModeCommand{
			SequenceNumber: n, Selected: pc5s.SelectedAlgorithms{Ciphering: 2, Integrity: 2}, Capabilities: pc5s.Capabilities{0x20, 0x20, 0x80},
			Nonce2: &nonce, KNRPSessLSB: &lsb,
		}
	case pc5s.MessageDirectLinkSecurityModeComplete:
		return &pc5s.DirectLinkSecurityModeComplete{SequenceNumber: n, QoSFlowDescriptions: pc5s.DefaultQoS()}
	case pc5s.MessageDirectLinkSecurityModeReject:
		return &pc5s.DirectLinkSecurityModeReject{SequenceNumber: n, Cause: pc5s.CauseLSBConflict}
	case pc5s.MessageDirectLinkRekeyingRequest:
		if s.peer.machine != nil && s.peer.machine.State() == link.Established {
			r, err := s.peer.machine.RekeyingRequestOf()
			if err != nil {
				t.Fatal(err)
			}
			return r
		}
		return &pc5s.DirectLinkRekeyingRequest{SequenceNumber: n, Capabilities: pc5s.Capabilities{0x20, 0x20, 0x80}, Nonce1: &nonce, KNRPSessMSB: &lsb}
	case pc5s.MessageDirectLinkRekeyingResponse:
		return &pc5s.DirectLinkRekeyingResponse{SequenceNumber: n}
	case pc5s.MessageDirectLinkIdentifierUpdateRequest:
		return &pc5s.DirectLinkIdentifierUpdateRequest{SequenceNumber: n, SourceLayerTwoID: 0x0B0C0D, KNRPSessMSB: 0x44}
	case pc5s.MessageDirectLinkIdentifierUpdateAccept:
		return &pc5s.DirectLinkIdentifierUpdateAccept{
			SequenceNumber: n, SourceLayerTwoID: 0x0B0C0D, TargetLayerTwoID: local, KNRPSessMSB: msb, KNRPSessLSB: 0x55,
		}
	case pc5s.MessageDirectLinkIdentifierUpdateAck:
		return &pc5s.DirectLinkIdentifierUpdateAck{SequenceNumber: n, TargetLayerTwoID: next.Local, KNRPSessLSB: next.Session.LSB()}
	case pc5s.MessageDirectLinkIdentifierUpdateReject:
		return &pc5s.DirectLinkIdentifierUpdateReject{SequenceNumber: n, Cause: pc5s.CauseLayer2IDConflict}
	}
	t.Fatalf("no %v can be made", kind)
	return nil
}

// container fills in the conversation of the subject's attempt.
func (s *scene) container(c kei.Container) []byte {
	c.Method = kei.TLS13
	if m := s.subject.machine; m.State() > link.Idle && m.State() < link.AwaitAccept {
		c.Tag = m.RequestTag()
	}
	return c.AppendTo(nil)
}

// inClear is a message that nothing protects: the peer's own where it has said one of this type.
func (s *scene) inClear(t testing.TB, kind pc5s.MessageType) []byte {
	if kind == pc5s.MessageDirectLinkAuthenticationRequest && s.cookie != nil {
		return s.cookie
	}
	if m := s.peer.machine; m != nil {
		if d := m.Again(kind); d != nil && underlay.LCID(d[7]) == underlay.SRB0 {
			return d
		}
	}
	return s.clearFrom(s.fitting(t, kind))
}

// clearFrom sends a message in clear between the L2 IDs that the subject knows.
func (s *scene) clearFrom(msg pc5s.Message) []byte {
	return append(s.header(underlay.SRB0), append([]byte{0, 0}, pc5s.Marshal(msg)...)...)
}

func (s *scene) header(c underlay.LCID) []byte {
	local, peer := s.subject.machine.LayerTwoIDs()
	return underlay.Header{Destination: local, Source: peer, LCID: c}.AppendTo(nil)
}

// protected is a message under the peer's keys, on the bearer that it belongs on; where the peer
// has none, under a key that nobody knows.
func (s *scene) protected(t testing.TB, kind pc5s.MessageType) []byte {
	msg, bearer := s.fitting(t, kind), underlay.SRB2
	if kind == pc5s.MessageDirectLinkSecurityModeCommand || kind == pc5s.MessageDirectLinkSecurityModeComplete {
		bearer = underlay.SRB1
	}
	var d []byte
	if m := s.peer.machine; m != nil {
		if d = m.Again(kind); d != nil && underlay.LCID(d[7]) != underlay.SRB0 {
			return d
		}
		switch {
		case bearer == underlay.SRB1:
			d = m.SpeakSRB1(msg)
		case kind == pc5s.MessageDirectLinkRekeyingResponse, m.State() == link.SecurityMode:
			d = m.SpeakNewest(msg)
		default:
			d = m.Speak(msg)
		}
	}
	if d == nil {
		d = append(s.header(bearer), 0, 0, 0x77, 0x77)
		d = append(append(d, pc5s.Marshal(msg)...), 0, 0, 0, 0)
	}
	return d
}
