package link_test

import (
	"errors"
	"testing"

	"pc5d/daemon/link"
	"pc5d/policy"
)

// TestP1_WrongPin: with a wrong pin at either end there is no link. The end that refuses names
// the peer with the expected and the presented key; the other has only a hint, and its own key.
func TestP1_WrongPin(t *testing.T) {
	wrong := policy.Fingerprint{1, 2, 3}
	p := newPair(t)
	p.a.link.Pins = []policy.Fingerprint{wrong}
	p.run()
	var refused *link.RefusedError
	if err := p.a.machine.Failed(); !errors.As(err, &refused) || refused.Peer != "bob" || refused.Expected[0] != wrong || refused.Presented != p.b.config.Auth.Local().Fingerprint {
		t.Errorf("initiator: got %v", err)
	}
	for p.deliver(); p.b.machine.State() != link.Released && p.tick(); p.deliver() {
	}
	var hint *link.PeerRefusedError
	if err := p.b.machine.Failed(); !errors.As(err, &hint) || hint.Local != p.b.config.Auth.Local() {
		t.Errorf("responder: got %v", err)
	}
	if p.a.installed != nil || p.b.installed != nil {
		t.Error("keys were installed")
	}
}

// TestT90_LossOfEach loses each datagram once: the link comes up all the same.
func TestT90_LossOfEach(t *testing.T) {
	reference := newPair(t)
	reference.establish(t)
	for lost := range reference.sent {
		p := newPair(t)
		p.lose = func(index int) bool { return index == lost }
		p.establish(t)
		p.close()
	}
}
