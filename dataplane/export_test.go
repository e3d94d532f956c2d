package dataplane

import (
	"pc5d/dataplane/record"
	"pc5d/dataplane/suite"
)

// InstallWith installs a context whose sending suite and limits the test chooses.
func (l *Link) InstallWith(c Context, wrap func(suite.Suite) suite.Suite, counts record.Count, blocks uint64) error {
	k, err := newKeyContext(l, c)
	if err != nil {
		return err
	}
	k.send.suite = wrap(k.send.suite)
	k.send.counter, k.send.blockLimit = record.NewCounter(counts), blocks
	return l.install(k)
}

// Turn and Process run one turn of a worker in the caller's goroutine.
func (e *Engine) Turn(l *Link) { e.transmit.turn(l) }

// Process receives once and processes what came.
func (e *Engine) Process() error {
	n, err := e.config.Conn.Receive(e.receive.messages)
	if err != nil {
		return err
	}
	e.receive.process(e.receive.messages[:n])
	return nil
}

// Judge is the inner filter.
func Judge(c Context, packet []byte) (Drop, bool) {
	f := innerFilter{sources: c.Sources, destinations: c.Destinations}
	return f.judge(packet)
}
