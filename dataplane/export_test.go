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
	messages, err := r.wait()
	if err != nil {
		return err
	}
	e.Process(p, messages)
	return nil
}

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
