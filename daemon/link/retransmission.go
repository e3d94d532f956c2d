package link

import (
	"net/netip"
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
	ctx       *securityContext // nil on SL-SRB0
}

func (o *outgoing) empty() bool { return len(o.message) == 0 }

// retransmission repeats one message until something new arrives.
type retransmission struct {
	last     outgoing
	timer    Timer
	at       time.Time // zero: not repeated by timer
	interval time.Duration
	count    int
	sent     time.Time // last sending, whatever caused it
}

func (r *retransmission) start(now time.Time, t Timer) {
	r.timer, r.interval, r.count = t, t.Initial, 0
	r.at = now.Add(r.interval)
}

func (r *retransmission) stop() { r.at = time.Time{} }

func (r *retransmission) exhausted() bool { return r.count >= r.timer.Repeats }

func (r *retransmission) next(now time.Time) {
	r.count++
	r.interval = min(time.Duration(float64(r.interval)*r.timer.Factor), r.timer.Max)
	r.at = now.Add(r.interval)
}

// clear makes a message of SL-SRB0.
func (m *Machine) clear(msg pc5s.Message) outgoing {
	return outgoing{message: pc5s.Marshal(msg), kind: msg.Type(), bearer: underlay.SRB0, ciphering: pdcp.Clear}
}

// protected makes a message of SL-SRB2 under the sending context.
func (m *Machine) protected(msg pc5s.Message) outgoing {
	return outgoing{message: pc5s.Marshal(msg), kind: msg.Type(), bearer: underlay.SRB2, ciphering: pdcp.Ciphered, ctx: m.ctx}
}

// send transmits a new message of the procedure under way and repeats it by timer.
func (m *Machine) send(now time.Time, o outgoing, t Timer) {
	m.sendOnce(now, o)
	m.retry.start(now, t)
}

// sendOnce transmits a new message that only a repeated message of the peer brings again.
func (m *Machine) sendOnce(now time.Time, o outgoing) {
	m.retry.stop()
	m.retry.last, m.retry.sent = o, now
	m.transmit(o)
}

// repeat answers a repeated message by the last message, at most once in the quiet time: two
// ends that both repeat must not drive each other.
func (m *Machine) repeat(now time.Time) error {
	if now.Sub(m.retry.sent) >= m.cfg.Timers.Quiet {
		m.retry.sent = now
		m.transmit(m.retry.last)
	}
	return DropRepeated
}

// received is a message that was taken and may come again.
type received []byte

// again tells whether a message is the same once more.
func (r received) again(raw []byte) bool { return len(r) > 0 && string(r) == string(raw) }

// answer is what a peer's request got; it is sent again when the same request comes again.
type answer struct {
	request []byte
	reply   outgoing
	sent    time.Time
}

// answers tells whether a request is the one that was answered last.
func (a *answer) answers(request []byte) bool {
	return len(a.request) > 0 && string(a.request) == string(request)
}

// reply answers a new request.
func (m *Machine) reply(now time.Time, a *answer, request []byte, o outgoing) {
	*a = answer{request: request, reply: o, sent: now}
	m.transmit(o)
}

// again repeats an answer, at most once in the quiet time. It goes out under today's keys.
func (m *Machine) again(now time.Time, a *answer) error {
	if now.Sub(a.sent) >= m.cfg.Timers.Quiet {
		a.sent = now
		if a.reply.bearer == underlay.SRB2 {
			a.reply.ctx = m.ctx
		}
		m.transmit(a.reply)
	}
	return DropRepeated
}

// nextSequence numbers a new PC5-S message (TS 24.554, 11.3.2).
func (m *Machine) nextSequence() pc5s.SequenceNumber {
	s := m.sequence
	m.sequence++
	return s
}

// maxEnvelope is more than what protection and the header add to a message.
const maxEnvelope = 32

func roomFor(o outgoing) []byte { return make([]byte, 0, len(o.message)+maxEnvelope) }

// transmit protects and sends a message.
func (m *Machine) transmit(o outgoing) {
	if datagram, ok := m.datagram(o); ok {
		m.sendTo(m.endpoint, o, datagram)
	}
}

// datagram protects a message; false: it can not be sent.
func (m *Machine) datagram(o outgoing) (datagram []byte, ok bool) {
	h := underlay.Header{Form: underlay.FormPDCP, Destination: m.peer, Source: m.local, LCID: o.bearer}
	if o.bearer == underlay.SRB0 {
		datagram = pdcp.AppendUnprotected(h.AppendTo(roomFor(o)), m.clearSN, o.message)
		m.clearSN = (m.clearSN + 1) & 0xFFF
		return datagram, true
	}
	if o.ctx.dead {
		return nil, false
	}
	h.Destination, h.Source = o.ctx.names[0].Peer, o.ctx.names[0].Local
	datagram, err := o.ctx.seal(h, o)
	if err != nil {
		m.fail(err)
		return nil, false
	}
	return datagram, true
}

// sendTo sends a message in its datagram.
func (m *Machine) sendTo(to netip.AddrPort, o outgoing, datagram []byte) {
	protection := "none"
	if o.bearer != underlay.SRB0 {
		protection = o.ctx.protection(o.bearer, o.ciphering)
	}
	m.emit(Send{To: to, Datagram: datagram})
	m.emit(Exchanged{Sent: true, Message: o.kind, Bearer: o.bearer, Protection: protection, Octets: len(datagram)})
}
