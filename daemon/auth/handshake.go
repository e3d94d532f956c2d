package auth

import (
	"crypto/tls"
	"errors"
	"fmt"
	"time"

	"pc5d/daemon/auth/kei"
	"pc5d/daemon/keys"
	"pc5d/daemon/link"
)

// handshake is one TLS handshake as a function from flight to flight.
type handshake struct {
	verifier *verifier
	judged   credentials
	shown    *shown
	fed      int // octets of the peer
	wire     *wire
	conn     *tls.Conn
	result   chan error // capacity 1: how the handshake ended
	ended    bool
	err      error
}

func newHandshake(v *verifier, s *shown) *handshake {
	return &handshake{verifier: v, shown: s, wire: newWire(), result: make(chan error, 1)}
}

// start begins the helper goroutine; it waits for the first Feed.
func (h *handshake) start(c *tls.Conn) {
	h.conn = c
	go func() {
		<-h.wire.resume
		err := c.Handshake()
		h.result <- err
		h.wire.parked <- struct{}{}
	}()
}

// Feed implements link.Handshake.
func (h *handshake) Feed(flight []byte) ([]byte, error) {
	if h.ended {
		return nil, errors.New("handshake has ended")
	}
	if h.fed += len(flight); h.fed > kei.MaxTotal { // T17: before anything of it is read
		h.Close()
		return nil, &link.RefusedError{Refusal: link.RefusedFlight, Reason: fmt.Sprintf("it sent more than %d octets", kei.MaxTotal)}
	}
	reply := h.wire.turn(flight)
	select {
	case err := <-h.result:
		h.ended, h.err = true, err
	default:
	}
	if !h.Complete() {
		return reply, h.explain()
	}
	if h.err = h.confirm(); h.err != nil {
		return nil, h.err
	}
	h.shown.note(h.judged)
	return reply, nil
}

// confirm judges once more where a reload came after the judgement: a peer may show its certificates
// and prove its key much later, and until then nobody knows whom to ask about (T16).
func (h *handshake) confirm() (err error) {
	if h.judged.by != h.verifier.authorities() {
		h.judged, err = h.verifier.verify(h.conn.ConnectionState())
	}
	return err
}

// explain turns the peer's alert into its own error.
func (h *handshake) explain() error {
	var alert tls.AlertError
	if h.err != nil && errors.As(h.err, &alert) {
		return &link.PeerRefusedError{Local: h.verifier.local, Reason: alert.Error()}
	}
	return h.err
}

// Complete implements link.Handshake.
func (h *handshake) Complete() bool { return h.ended && h.err == nil }

// Peer implements link.Handshake.
func (h *handshake) Peer() link.Peer {
	if !h.Complete() {
		return link.Peer{}
	}
	return h.judged.peer
}

// CertificateEnd implements link.Handshake.
func (h *handshake) CertificateEnd() time.Time {
	if !h.Complete() {
		return time.Time{}
	}
	return h.judged.end
}

// ExportKNRP implements link.Handshake.
func (h *handshake) ExportKNRP(ctx []byte) (keys.KNRP, error) {
	if !h.Complete() {
		return keys.KNRP{}, errors.New("handshake is not complete")
	}
	s := h.conn.ConnectionState()
	b, err := s.ExportKeyingMaterial(exporterLabel, ctx, knrpLen)
	if err != nil {
		return keys.KNRP{}, err
	}
	return keys.KNRP{Secret: keys.NewSecret(b)}, nil
}

// Close implements link.Handshake.
func (h *handshake) Close() {
	if h.ended {
		return
	}
	h.wire.close()
	h.ended = true
	h.err = errors.New("handshake was closed")
}
