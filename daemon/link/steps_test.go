package link_test

import (
	"testing"

	"pc5d/daemon/link"
	"pc5d/daemon/pc5s"
	"pc5d/dataplane/nea"
	"pc5d/dataplane/pdcp"
	"pc5d/dataplane/underlay"
	"pc5d/policy"
)

// startUntil starts an establishment and delivers one datagram after the other until a condition
// holds; what is on its way then is still in the queue.
func (p *pair) startUntil(t testing.TB, what string, condition func() bool) {
	t.Helper()
	p.start()
	for range 1000 {
		if condition() {
			return
		}
		if len(p.queue) == 0 && !p.tick() {
			break
		}
		if len(p.queue) > 0 {
			p.arrive()
		}
	}
	t.Fatalf("never %s: a %v, b %v", what, p.a.machine.State(), p.b.machine)
}

// commanded brings both ends to the point where the responder has sent its command, and loses it.
func (p *pair) commanded(t testing.TB) {
	t.Helper()
	p.startUntil(t, "commanded", func() bool { return p.b.machine != nil && p.b.machine.State() == link.SecurityMode })
	p.queue = nil
}

// completed brings both ends to the point where the initiator has sent its complete, and loses it.
func (p *pair) completed(t testing.TB) {
	t.Helper()
	p.startUntil(t, "completed", func() bool { return p.a.machine.State() == link.AwaitAccept })
	p.queue = nil
}

// passed delivers what the machine of an end has to say, without letting time pass.
func (p *pair) passed(e *end) {
	p.drain(e)
	p.deliver()
}

// clearMessages are one of each message that the package knows; none belongs to any conversation.
func clearMessages() []pc5s.Message {
	container := []byte{0x11, 0, 1, 1, 2, 3, 4, 5, 6, 7, 8, 0xff}
	one, nonce, id := uint8(1), [16]byte{9}, uint16(1)
	return []pc5s.Message{
		&pc5s.DirectLinkEstablishmentRequest{SourceUserInfo: []byte("bob"), Capabilities: pc5s.NewCapabilities([]nea.Ciphering{nea.NEA2}, []nea.Integrity{nea.NIA2}, nil), Nonce1: &nonce, KNRPSessMSB: &one},
		&pc5s.DirectLinkEstablishmentAccept{SourceUserInfo: []byte("bob"), QoSFlowDescriptions: pc5s.DefaultQoS(), UserPlane: pc5s.UserPlaneConfiguration{Integrity: true, Ciphering: true}},
		&pc5s.DirectLinkEstablishmentReject{Cause: pc5s.CauseSecurityPolicyNotAligned},
		&pc5s.DirectLinkReleaseRequest{Cause: pc5s.CauseNoLongerNeeded},
		&pc5s.DirectLinkReleaseAccept{},
		&pc5s.DirectLinkAuthenticationRequest{KeyEstablishmentInfo: container},
		&pc5s.DirectLinkAuthenticationResponse{KeyEstablishmentInfo: container},
		&pc5s.DirectLinkAuthenticationReject{Cause: pc5s.CauseAuthenticationFailure},
		&pc5s.DirectLinkAuthenticationFailure{KeyEstablishmentInfo: container},
		&pc5s.DirectLinkSecurityModeCommand{Selected: pc5s.SelectedAlgorithms{Integrity: nea.NIA2, Ciphering: nea.NEA2}, Capabilities: pc5s.Capabilities{0xa0, 0x20, 0x80}, Nonce2: &nonce, KNRPSessLSB: &one, KNRPIDMSBs: &id},
		&pc5s.DirectLinkSecurityModeComplete{QoSFlowDescriptions: pc5s.DefaultQoS(), UserPlanePolicy: pc5s.SecurityPolicy{Integrity: policy.Required, Ciphering: policy.Required}, KNRPIDLSBs: &id},
		&pc5s.DirectLinkSecurityModeReject{Cause: pc5s.CauseCapabilitiesMismatch},
		&pc5s.DirectLinkKeepaliveRequest{},
		&pc5s.DirectLinkKeepaliveResponse{},
		&pc5s.DirectLinkModificationRequest{QoSFlowDescriptions: pc5s.DefaultQoS()},
		&pc5s.DirectLinkModificationAccept{QoSFlowDescriptions: pc5s.DefaultQoS()},
		&pc5s.DirectLinkModificationReject{Cause: pc5s.CauseLackOfResources},
		&pc5s.DirectLinkRekeyingRequest{Capabilities: pc5s.Capabilities{0xa0, 0x20, 0x80}, KeyEstablishmentInfo: container, Nonce1: &nonce, KNRPSessMSB: &one},
		&pc5s.DirectLinkRekeyingResponse{},
		&pc5s.DirectLinkIdentifierUpdateRequest{SourceLayerTwoID: 77, KNRPSessMSB: 1},
		&pc5s.DirectLinkIdentifierUpdateAccept{SourceLayerTwoID: 77, TargetLayerTwoID: 78, KNRPSessMSB: 1, KNRPSessLSB: 1},
		&pc5s.DirectLinkIdentifierUpdateAck{TargetLayerTwoID: 78, KNRPSessLSB: 1},
		&pc5s.DirectLinkIdentifierUpdateReject{Cause: pc5s.CauseLayer2IDConflict},
	}
}

// forged puts a message into a datagram as anyone on the path can: with the right identifiers
// and without a key.
func forged(m pc5s.Message, local, peer underlay.LayerTwoID, bearer underlay.LCID) []byte {
	h := underlay.Header{Form: underlay.FormPDCP, Destination: local, Source: peer, LCID: bearer}
	if bearer == underlay.SRB0 {
		return pdcp.AppendUnprotected(h.AppendTo(nil), 0, pc5s.Marshal(m))
	}
	pdu := append([]byte{0, 0, 0, 0}, pc5s.Marshal(m)...)
	return append(h.AppendTo(nil), append(pdu, 0, 0, 0, 0)...)
}
