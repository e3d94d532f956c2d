package link

import (
	"errors"
	"fmt"
	"time"

	"pc5d/daemon/pc5s"
)

// Procedure is what runs inside ESTABLISHED: at most one at a time. Keep-alive runs beside any.
// Of two different ones that cross the later one in this list wins (chosen).
type Procedure uint8

const (
	NoProcedure     Procedure = iota
	Modify                    // MODIFY: modification request sent; waits for its answer
	UpdateInitiator           // IDUPD_INIT: identifier update request sent; waits for the accept
	UpdateTarget              // IDUPD_TARGET: accept sent; waits for the ack or the new identifiers
	RekeyingA                 // REKEY_A: re-keying request sent; waits for command, then response
	RekeyingB                 // REKEY_B: security mode command sent; waits for the complete
	procedureCount            // of them
)

var procedureNames = [procedureCount]string{"none", "modify", "update_initiator", "update_target", "rekeying_a", "rekeying_b"}

func (p Procedure) String() string {
	if p < procedureCount {
		return procedureNames[p]
	}
	return "unknown"
}

// rank orders procedures; both ends of one have the same.
func (p Procedure) rank() int { return int(p)/2 + 1 }

// answering tells whether the peer started the procedure.
func (p Procedure) answering() bool { return p == UpdateTarget || p == RekeyingB }

// ErrProcedure says that a link is not in the state that a command needs.
var ErrProcedure = errors.New("the link is not established")

// UnansweredError says that the peer of an established link did not answer a procedure.
type UnansweredError struct{ Message pc5s.MessageType }

func (e *UnansweredError) Error() string {
	return fmt.Sprintf("the peer no longer answers: %s was repeated in vain", e.Message)
}

// wishes are procedures of this end that wait for their turn.
type wishes struct {
	rekey    bool
	update   bool
	modify   *pc5s.DirectLinkModificationRequest
	rekeyAt  time.Time // not before: the least time between two
	updateAt time.Time // T5090
}

// Rekey asks for new keys; they are made as soon as no other procedure runs and the least time
// since the last re-keying has passed (TS 24.554, 7.2.11.1).
func (m *Machine) Rekey(now time.Time) error {
	if m.state != Established {
		return ErrProcedure
	}
	m.wish.rekey = true
	m.startNext(now)
	return nil
}

// UpdateIdentifiers asks for new keys and then at once for new identifiers (TS 24.554, 7.2.4.1).
// Chosen: both together, because the sequence numbers of old keys would join the two names.
func (m *Machine) UpdateIdentifiers(now time.Time) error {
	if m.state != Established {
		return ErrProcedure
	}
	m.wish.rekey, m.wish.update = true, true
	m.startNext(now)
	return nil
}

// Modify asks the peer for a change of QoS flows or services (TS 24.554, 7.2.3.1). A wish that
// waits already is replaced.
func (m *Machine) Modify(now time.Time, r *pc5s.DirectLinkModificationRequest) error {
	if m.state != Established {
		return ErrProcedure
	}
	m.wish.modify = r
	m.startNext(now)
	return nil
}

// startNext starts the wish of the highest rank when nothing runs.
func (m *Machine) startNext(now time.Time) {
	if m.state != Established || m.procedure != NoProcedure {
		return
	}
	switch w := &m.wish; {
	case w.rekey:
		if !now.Before(w.rekeyAt) {
			w.rekey = false
			m.startRekeying(now)
		}
	case w.update:
		w.update = false
		m.startUpdate(now)
	case w.modify != nil:
		r := w.modify
		w.modify = nil
		m.startModification(now, r)
	}
}

// wishDeadline is when startNext has to look again.
func (m *Machine) wishDeadline() time.Time {
	if m.state == Established && m.procedure == NoProcedure && m.wish.rekey {
		return m.wish.rekeyAt
	}
	return time.Time{}
}

// crossing settles who goes on when the peer asks for a procedure while another runs. No error:
// the peer's is to be answered, after yield. (Chosen: the standard has no rule.)
func (m *Machine) crossing(theirs Procedure) error {
	own := m.procedure
	switch {
	case own == NoProcedure:
		return nil
	case theirs.rank() < own.rank():
		return DropCollision
	case theirs.rank() > own.rank() || own.answering():
		return nil
	case m.local > m.peer || m.run != nil && len(m.run.offered) > 0:
		return DropCollision
	}
	return nil
}

// yield ends an own procedure in favour of the peer's.
func (m *Machine) yield(theirs Procedure) {
	m.postpone(m.procedure, theirs)
	m.abandon()
}

// postpone lets an own procedure start again later, where the peer's does not serve it too and
// nothing newer waits.
func (m *Machine) postpone(own, theirs Procedure) {
	switch {
	case own == UpdateInitiator && theirs != UpdateTarget:
		m.wish.update = true
	case own == Modify && m.wish.modify == nil:
		m.wish.modify = m.modification
	}
}

// abandon ends the procedure under way without a trace.
func (m *Machine) abandon() {
	switch m.procedure {
	case RekeyingA, RekeyingB:
		m.dropRun()
	case UpdateInitiator, UpdateTarget:
		m.dropUpdate()
	}
	m.retry.stop()
	m.procedure = NoProcedure
}

// conclude ends the procedure under way; err says why it failed.
func (m *Machine) conclude(now time.Time, err error) {
	p := m.procedure
	m.retry.stop()
	m.procedure = NoProcedure
	m.emit(Concluded{Procedure: p, Err: err})
	if p == RekeyingA && err != nil && m.wish.update { // never new names over old sequence numbers
		m.wish.update = false
		m.emit(Concluded{Procedure: UpdateInitiator, Err: err})
		m.schedulePrivacy(now)
	}
	m.startNext(now)
}

// unanswered follows the last repetition of a procedure's message: whoever started it releases
// the link, whoever answered forgets the attempt, except that new identifiers in doubt end it.
func (m *Machine) unanswered(now time.Time) {
	err := &UnansweredError{Message: m.retry.last.kind}
	switch m.procedure {
	case RekeyingB:
		m.dropRun()
		m.conclude(now, err)
	case UpdateTarget:
		m.fail(err) // TS 24.554, 7.2.4.5: release locally
	default:
		m.failed = err
		m.release(now, pc5s.CauseConnectionNotAvailable)
	}
}

// admitRequest bounds what an authenticated peer may ask for.
func (m *Machine) admitRequest(now time.Time) error {
	if !m.bucket.take(now) {
		return DropRate
	}
	return nil
}
