package dataplane

import (
	"net/netip"

	"pc5d/dataplane/suite"
)

// InstallWith installs and activates a context whose sending suite the test chooses.
func (l *Link) InstallWith(c Context, wrap func(suite.Suite) suite.Suite) error {
	if err := l.InstallOnly(c, wrap); err != nil {
		return err
	}
	return l.Activate(c.ID)
}

// InstallOnly is InstallWith without activating.
func (l *Link) InstallOnly(c Context, wrap func(suite.Suite) suite.Suite) error {
	k, err := newKeyContext(l, c)
	if err != nil {
		return err
	}
	k.send.suite = wrap(k.send.suite)
	return l.install(k)
}

// Poll receives once from the first port and processes what came.
func (e *Engine) Poll() error { return e.PollFrom(Port{}) }

// PollFrom receives once from a port and processes what came.
func (e *Engine) PollFrom(p Port) error {
	r := e.table.Load().sockets[p].receive
	return r.step()
}

// Inbox is how many buffers of the first port wait to be opened.
func (e *Engine) Inbox() int { return e.table.Load().sockets[Port{}].receive.inbox.n }

// FlowOf numbers the flow of a packet of the first link.
func FlowOf(packet []byte) uint32 { return flowOf(0, packet) % flowCount }

// Key is what the poller knows the link's device by.
func (l *Link) Key() uint32 { return l.key }

// Judge is the inner filter.
func Judge(c Context, packet []byte) (Drop, bool) {
	return JudgeWithout(c, nil, packet)
}

// JudgeWithout is Judge with sources that are excluded.
func JudgeWithout(c Context, excluded []netip.Prefix, packet []byte) (Drop, bool) {
	var l Link
	l.Exclude(excluded)
	f := innerFilter{sources: c.Sources, destinations: c.Destinations, excluded: &l.excluded}
	return f.judge(packet)
}

// LimitsOf are limits with the defaults of a suite in a mode.
func LimitsOf(l Limits, id suite.ID, mode suite.Mode) Limits { return l.of(id, mode) }

// StandardLimits are limits with the defaults of the standard form in a mode.
func StandardLimits(l Limits, mode suite.Mode) Limits { return l.ofStandard(mode) }
