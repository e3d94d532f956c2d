package link

import (
	"errors"
	"slices"
	"time"

	"pc5d/daemon/keys"
	"pc5d/dataplane/pdcp"
	"pc5d/dataplane/record"
	"pc5d/dataplane/underlay"
)

// contexts are all security contexts that receive.
func (m *Machine) contexts() []*securityContext {
	all := make([]*securityContext, 0, 4)
	for _, c := range []*securityContext{m.ctx, m.old} {
		if c != nil {
			all = append(all, c)
		}
	}
	if m.run != nil {
		all = append(all, m.run.offered...)
	}
	return all
}

// named finds the security context that a PDU names.
func (m *Machine) named(n Name) *securityContext {
	for _, c := range []*securityContext{m.ctx, m.old} {
		if c != nil && c.called(n) {
			return c
		}
	}
	if m.run == nil {
		return nil
	}
	if i := slices.IndexFunc(m.run.offered, func(c *securityContext) bool { return c.called(n) }); i >= 0 {
		return m.run.offered[i]
	}
	return nil
}

// open verifies a PDU with a 32-bit MAC-I by a context, within the context's budget.
func (m *Machine) open(now time.Time, c *securityContext, verify func() ([]byte, error)) ([]byte, error) {
	if c.budget.spent(now) {
		return nil, DropRate
	}
	sdu, err := verify()
	if err == nil {
		m.alive.heard++
		return sdu, nil
	}
	if !errors.Is(err, pdcp.ErrReplay) {
		c.budget.fail()
	}
	return nil, DropUnverified
}

// openRecord verifies a record. Its tag of 128 bits needs no budget, which whoever injects would
// use up so that nothing genuine is verified any more.
func (m *Machine) openRecord(c *securityContext, datagram []byte) ([]byte, error) {
	sdu, err := c.opener.Open(datagram)
	if err != nil {
		return nil, DropUnverified
	}
	m.alive.heard++
	return sdu, nil
}

// nameOf reads what a PDU of SL-SRB2 is called by, in both forms.
func nameOf(in arrival) (Name, error) {
	n := Name{Local: in.h.Destination, Peer: in.h.Source}
	if in.h.Form == underlay.FormRecord {
		h, _, _, err := record.ParseHeader(in.datagram)
		n.Session = keys.SessionID(h.Session)
		return n, err
	}
	_, session, err := pdcp.ParseHeader(in.pdu)
	n.Session = keys.SessionID(session)
	return n, err
}
