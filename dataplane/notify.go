package dataplane

import "pc5d/dataplane/record"

// notices are what a worker has to tell. It gathers them inside a batch and tells them after it.
type notices struct {
	stirred    *Link // was armed and has sent; one link a batch sends
	sending    *Link // was watched and has sent
	exhausting []*keyContext
	elsewhere  elsewhere // the first one of the batch
	echoes     []echoed
	long       *keyContext // the socket found its records too long for the path; one a batch sends
}

// send notes that a link has sent.
func (n *notices) send(l *Link) {
	if l.armed.Load() && l.armed.CompareAndSwap(true, false) {
		n.stirred = l
	}
	if l.sendWatched.Load() && l.sendWatched.CompareAndSwap(true, false) {
		n.sending = l
	}
}

// exhaust notes that a key of a context is at a soft limit, the first time.
func (n *notices) exhaust(k *keyContext) {
	if !k.told.Load() && k.told.CompareAndSwap(false, true) {
		n.exhausting = append(n.exhausting, k)
	}
}

// echoed is an answer to an ECHO request.
type echoed struct {
	link  *Link
	token record.Token
}

// echo notes an answer. Each link has echoesInSecond of them.
func (n *notices) echo(l *Link, token record.Token) {
	n.echoes = append(n.echoes, echoed{l, token})
}

// tell calls Stirred, Sending, Exhausting, Elsewhere, Echoed and TooLong.
func (n *notices) tell(c *Config) {
	if n.stirred != nil {
		if c.Stirred != nil {
			c.Stirred(n.stirred.name)
		}
		n.stirred = nil
	}
	for _, k := range n.exhausting {
		if c.Exhausting != nil {
			c.Exhausting(k.link.name, k.send.way().id)
		}
	}
	if at := n.elsewhere; at.context != nil && c.Elsewhere != nil {
		c.Elsewhere(at.context.link.name, at.context.send.way().id, at.from, at.octets)
	}
	n.elsewhere = elsewhere{}
	if k := n.long; k != nil {
		n.long = nil
		if c.TooLong != nil {
			c.TooLong(k.link.name)
		}
	}
	if l := n.sending; l != nil {
		n.sending = nil
		if c.Sending != nil {
			c.Sending(l.name)
		}
	}
	for _, e := range n.echoes {
		if c.Echoed != nil {
			c.Echoed(e.link.name, e.token)
		}
	}
	clear(n.echoes)
	n.echoes = n.echoes[:0]
	clear(n.exhausting)
	n.exhausting = n.exhausting[:0]
}

// Arm asks for one Config.Stirred, at the next record that the link sends. Armed twice is armed.
func (l *Link) Arm() { l.armed.Store(true) }

// Watch asks for one Config.Sending, likewise.
func (l *Link) Watch() { l.sendWatched.Store(true) }

// Authentic is the number of records received whose tag verified: the peer lives. Those of a context
// without integrity are in Counters only, because anybody can send them.
func (l *Link) Authentic() uint64 { return l.verified.Load() }
