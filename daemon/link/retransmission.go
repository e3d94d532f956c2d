package link

import (
	"time"

	"pc5d/daemon/pc5s"
	"pc5d/dataplane/pdcp"
	"pc5d/dataplane/underlay"
)

// outgoing is a message that may be sent again: the message is kept, never the protected PDU,
// because each sending takes a COUNT of its own (TS 38.323, 5.8).
type outgoing struct {
	message   []byte
	kind      pc5s.MessageType
	bearer    underlay.LCID
	ciphering pdcp.Ciphering
}

// retransmission repeats this end's last message until something new arrives.
type retransmission struct {
	last     outgoing
	at       time.Time // zero: not repeated by timer
	interval time.Duration
	count    int
	sent     time.Time // last sending, whatever caused it
}

func (r *retransmission) start(now time.Time, t Timers) {
	r.interval, r.count = t.Initial, 0
	r.at = now.Add(r.interval)
}

func (r *retransmission) stop() { r.at = time.Time{} }

func (r *retransmission) due(now time.Time) bool { return !r.at.IsZero() && !now.Before(r.at) }

func (r *retransmission) exhausted(t Timers) bool { return r.count >= t.Repeats }

func (r *retransmission) next(now time.Time, t Timers) {
	r.count++
	r.interval = min(time.Duration(float64(r.interval)*t.Factor), t.Max)
	r.at = now.Add(r.interval)
}

// send transmits a new message and repeats it by timer until the next one.
func (m *Machine) send(now time.Time, msg pc5s.Message, bearer underlay.LCID, c pdcp.Ciphering) {
	m.sendOnce(now, msg, bearer, c)
	m.retry.start(now, m.cfg.Timers)
}

// sendOnce transmits a new message that only a repeated message of the peer brings again.
func (m *Machine) sendOnce(now time.Time, msg pc5s.Message, bearer underlay.LCID, c pdcp.Ciphering) {
	m.retry.stop()
	m.retry.last = outgoing{message: pc5s.Marshal(msg), kind: msg.Type(), bearer: bearer, ciphering: c}
	m.transmit(now, m.retry.last)
}

// repeat answers a repeated message by the last answer, at most once in the quiet time: two
// ends that both repeat must not drive each other.
func (m *Machine) repeat(now time.Time) error {
	if now.Sub(m.retry.sent) >= m.cfg.Timers.Quiet {
		m.transmit(now, m.retry.last)
	}
	return DropRepeated
}

// nextSequence numbers a new PC5-S message (TS 24.554, 11.3.2).
func (m *Machine) nextSequence() pc5s.SequenceNumber {
	s := m.sequence
	m.sequence++
	return s
}

// transmit protects and sends a message.
func (m *Machine) transmit(now time.Time, o outgoing) {
	h := underlay.Header{Form: underlay.FormPDCP, Destination: m.peer, Source: m.local, LCID: o.bearer}
	var datagram []byte
	protection := "none"
	switch o.bearer {
	case underlay.SRB0:
		datagram = pdcp.AppendUnprotected(h.AppendTo(nil), m.clearSN, o.message)
		m.clearSN = (m.clearSN + 1) & 0xFFF
	default:
		var err error
		datagram, protection, err = m.ctx.seal(h, o)
		if err != nil {
			m.fail(err)
			return
		}
	}
	m.retry.sent = now
	m.emit(Send{To: m.endpoint, Datagram: datagram})
	m.emit(Exchanged{Sent: true, Message: o.kind, Bearer: o.bearer, Protection: protection, Octets: len(datagram)})
}
