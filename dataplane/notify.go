package dataplane

// notices are what a worker has to tell. It gathers them inside a batch and tells them after it.
type notices struct {
	stirred    *Link // was armed and has sent; one link a batch sends
	exhausting []*keyContext
	elsewhere  elsewhere // the last one of the batch
}

// send notes that a link has sent.
func (n *notices) send(l *Link) {
	if l.armed.Load() && l.armed.CompareAndSwap(true, false) {
		n.stirred = l
	}
}

// exhaust notes that a key of a context is at a soft limit, the first time.
func (n *notices) exhaust(k *keyContext) {
	if !k.told.Load() && k.told.CompareAndSwap(false, true) {
		n.exhausting = append(n.exhausting, k)
	}
}

// tell calls Stirred, Exhausting and Elsewhere.
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
	clear(n.exhausting)
	n.exhausting = n.exhausting[:0]
}

// Arm asks for one Config.Stirred, at the next record that the link sends. Armed twice is armed.
func (l *Link) Arm() { l.armed.Store(true) }

// Authentic is the number of records received whose tag verified: the peer lives. Those of a context
// without integrity are in Counters only, because anybody can send them.
func (l *Link) Authentic() uint64 { return l.verified.Load() }
