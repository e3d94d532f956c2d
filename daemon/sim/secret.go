package sim

import (
	"pc5d/daemon/keys"
	"pc5d/daemon/link"
	"pc5d/policy"
)

// authentication keeps an eye on a daemon's handshakes: which there are, and what became of the
// keys that they gave out.
type authentication struct {
	link.Authentication
	process *process
}

// Initiate implements link.Authentication.
func (a *authentication) Initiate(peer string, pins []policy.Fingerprint) (link.Handshake, error) {
	h, err := a.Authentication.Initiate(peer, pins)
	return a.follow(h, err)
}

// Respond implements link.Authentication.
func (a *authentication) Respond() (link.Handshake, error) {
	h, err := a.Authentication.Respond()
	return a.follow(h, err)
}

// InitiateUnpinned implements link.Authentication.
func (a *authentication) InitiateUnpinned(peer string) (link.Handshake, error) {
	h, err := a.Authentication.InitiateUnpinned(peer)
	return a.follow(h, err)
}

// RespondUnpinned implements link.Authentication.
func (a *authentication) RespondUnpinned() (link.Handshake, error) {
	h, err := a.Authentication.RespondUnpinned()
	return a.follow(h, err)
}

func (a *authentication) follow(h link.Handshake, err error) (link.Handshake, error) {
	if err != nil {
		return nil, err
	}
	followed := &handshake{h, a.process}
	a.process.handshakes = append(a.process.handshakes, followed)
	return followed, nil
}

// handshake is a followed one.
type handshake struct {
	link.Handshake
	process *process
}

// ExportKNRP implements link.Handshake; the key must be wiped before the step is over (I10).
func (h *handshake) ExportKNRP(ctx []byte) (keys.KNRP, error) {
	k, err := h.Handshake.ExportKNRP(ctx)
	if err == nil {
		h.process.host.world.mustWipe("K_NRP", h.process, k.Secret)
	}
	return k, err
}

// Close implements link.Handshake.
func (h *handshake) Close() {
	h.Handshake.Close()
	p := h.process
	for i, o := range p.handshakes {
		if o == h {
			p.handshakes = append(p.handshakes[:i], p.handshakes[i+1:]...)
			return
		}
	}
}
