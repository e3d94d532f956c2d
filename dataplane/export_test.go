package dataplane

import (
	"pc5d/dataplane/record"
	"pc5d/dataplane/suite"
)

// InstallWith installs and activates a context whose sending suite and limits the test chooses.
func (l *Link) InstallWith(c Context, wrap func(suite.Suite) suite.Suite, counts record.Count, blocks uint64) error {
	k, err := newKeyContext(l, c)
	if err != nil {
		return err
	}
	k.send.suite = wrap(k.send.suite)
	k.send.counter, k.send.blockLimit = record.NewCounter(counts), blocks
	if err := l.install(k); err != nil {
		return err
	}
	return l.Activate(c.ID)
}

// Poll receives once and processes what came.
func (e *Engine) Poll() error {
	n, err := e.config.Conn.Receive(e.receive.messages)
	if err != nil {
		return err
	}
	e.Process(e.receive.messages[:n])
	return nil
}

// Key is what the poller knows the link's device by.
func (l *Link) Key() uint32 { return l.key }

// Judge is the inner filter.
func Judge(c Context, packet []byte) (Drop, bool) {
	f := innerFilter{sources: c.Sources, destinations: c.Destinations}
	return f.judge(packet)
}
