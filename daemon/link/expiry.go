package link

import (
	"errors"
	"fmt"
	"time"

	"pc5d/daemon/pc5s"
	"pc5d/policy"
)

// ErrOwnCertificateEnd says that this node's own certificate has ended. Links that a pin speaks for
// go on.
var ErrOwnCertificateEnd = errors.New("this node's own certificate has ended: let the CA issue another one for its key (pc5ctl ca issue), then pc5ctl reload")

// CertificateEndError says that the peer's certificate ended while the link was up.
type CertificateEndError struct{ Peer string }

func (e *CertificateEndError) Error() string {
	return fmt.Sprintf("the certificate of peer %q has ended: its CA has to issue another one", e.Peer)
}

// CertificateEnd tells until when the peer's certificates are admitted; zero: a pin speaks for it.
func (m *Machine) CertificateEnd() time.Time { return m.certificateEnd }

// ownEnd is when this end's own certificate stops speaking for it on the link. Where a pin speaks
// for the peer this end's is most likely pinned, too, and needs no certificate.
func (m *Machine) ownEnd() time.Time {
	if m.link.Trust != policy.TrustCA {
		return time.Time{}
	}
	return m.cfg.Auth.CertificateEnd()
}

// certificatesDeadline is when the first certificate of an established link ends (T16). These are
// times of the wall clock; whatever wakes the machine looks at them, so that a clock that was set
// counts within a keep-alive (T76).
func (m *Machine) certificatesDeadline() time.Time {
	if m.state != Established {
		return time.Time{}
	}
	return earliest(m.certificateEnd, m.ownEnd())
}

// advanceCertificates releases a link that nobody speaks for any more. The cause is one that
// passes: with another certificate the link comes back.
func (m *Machine) advanceCertificates(now time.Time) {
	switch {
	case due(m.ownEnd(), now):
		m.failed = ErrOwnCertificateEnd
	case due(m.certificateEnd, now):
		m.failed = &CertificateEndError{Peer: m.identity.Name}
	default:
		return
	}
	m.release(now, pc5s.CauseConnectionNotAvailable)
}

// Recheck asks again whether the peer is admitted, after that has changed (T16): the one that
// authenticated, and the one whose kept key an attempt rests on. admits tells why not.
func (m *Machine) Recheck(now time.Time, admits func(Peer) error) {
	err := m.admitted(admits)
	switch {
	case err == nil || m.state == Released || m.state == Releasing:
	case m.state == Established || m.state == AwaitAccept:
		m.failed = err
		m.release(now, pc5s.CauseNotAllowed)
	default:
		m.fail(err)
	}
}

func (m *Machine) admitted(admits func(Peer) error) error {
	if m.identity.Name != "" {
		if err := admits(m.identity); err != nil {
			return err
		}
	}
	if m.run == nil || m.run.psk == nil || m.run.psk.kept.Peer.Name == "" {
		return nil
	}
	return admits(m.run.psk.kept.Peer)
}
