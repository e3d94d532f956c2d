package daemon

import (
	"crypto/rand"
	"errors"
	"net/netip"
	"time"

	"pc5d/daemon/control"
	"pc5d/daemon/link"
	"pc5d/daemon/pathmtu"
	"pc5d/dataplane"
	"pc5d/dataplane/pdcp"
	"pc5d/dataplane/record"
	"pc5d/dataplane/suite"
	"pc5d/dataplane/udp"
	"pc5d/dataplane/underlay"
	"pc5d/policy"
)

// path is how long the records of a session may be. It belongs to the session: keys and names change,
// the way to the peer stays. Either search or steps is there from the first keys on.
type path struct {
	search *pathmtu.Search // records
	steps  *pathmtu.Steps  // PDUs of the standard form
	name   link.Name       // that the session sends under; zero: it does not send yet
	told   dataplane.Path  // to the engine under this name
	again  bool            // the engine is to hear it again: it waits for that to tell of a refusal
}

// limit is what new keys begin with.
func (p *path) limit(standard bool) dataplane.Path {
	switch {
	case standard:
		if p.steps == nil {
			p.steps = pathmtu.NewSteps()
		}
	case p.search == nil:
		return dataplane.Path{ContentLen: pathmtu.Base, Searching: true}
	}
	return p.now()
}

// now is what the engine is to know.
func (p *path) now() dataplane.Path {
	if p.steps != nil {
		return dataplane.Path{ContentLen: p.steps.ContentLen()}
	}
	return dataplane.Path{ContentLen: p.search.ContentLen(), Searching: p.search.Searching()}
}

// use follows the name that the session sends under.
func (p *path) use(name link.Name) { p.name, p.told = name, dataplane.Path{} }

// moved follows the peer to another address.
func (p *path) moved(now time.Time) {
	if p.search != nil {
		p.search.Begin(now)
	}
	p.told = dataplane.Path{}
}

func (p *path) advance(now time.Time) {
	switch {
	case p.search != nil:
		p.search.Advance(now)
	case p.steps != nil:
		p.steps.Advance(now)
	}
}

func (p *path) deadline() time.Time {
	switch {
	case p.search != nil:
		return p.search.Deadline()
	case p.steps != nil:
		return p.steps.Deadline()
	}
	return time.Time{}
}

// tooLong says that the socket refused what the engine sent.
func (p *path) tooLong(now time.Time) {
	p.again = true
	switch {
	case p.search != nil:
		p.search.TooLong(now)
	case p.steps != nil:
		p.steps.TooLong(now)
	}
}

// steer sends the probes that are due and tells the engine what became of the path, after each input of
// the session.
func (r *runner) steer() {
	p := &r.path
	if p.name == (link.Name{}) {
		return
	}
	if p.search == nil && p.steps == nil {
		p.search = pathmtu.New(r.node.now(), rand.Reader)
	}
	if p.search != nil {
		r.probe(p.search)
	}
	path := p.now()
	if path == p.told && !p.again {
		return
	}
	changed := path != p.told
	p.told, p.again = path, false
	// Whoever has lost the link meanwhile ends.
	_ = r.keeper.plane.SetPath(planeID(p.name), path)
	if changed {
		r.notify(func(k *keeper) { k.pathChanged(r, path) })
	}
}

// probe sends what the search asks for.
func (r *runner) probe(s *pathmtu.Search) {
	for probe, ok := s.Next(); ok; probe, ok = s.Next() {
		err := r.keeper.plane.SendEcho(netip.AddrPort{}, probe.Token, probe.ContentLen)
		if errors.Is(err, udp.ErrTooLong) { // each refusal ends a length: there are few
			s.Refused(r.node.now(), probe.Token)
		}
	}
	if s.Idle() {
		r.keeper.plane.Watch()
	}
}

// Sending follows a link that was idle and sends. Like the two below it may be called by a worker of the
// engine: it only posts.
func (n *Node) Sending(name string) {
	n.current(name, func(r *runner) {
		if s := r.path.search; s != nil {
			s.Sent(n.now())
		}
	})
}

// Echoed follows an answer to an ECHO request.
func (n *Node) Echoed(name string, token record.Token) {
	n.current(name, func(r *runner) {
		if s := r.path.search; s != nil {
			s.Answered(n.now(), token)
		}
	})
}

// TooLong follows the word of the socket that records are too long for the path.
func (n *Node) TooLong(name string) {
	n.current(name, func(r *runner) { r.path.tooLong(n.now()) })
}

// pathChanged shows what the path takes.
func (k *keeper) pathChanged(r *runner, p dataplane.Path) {
	if k.current != r {
		return
	}
	k.status.Path = &control.Path{MTU: p.ContentLen + k.overhead(), Content: p.ContentLen, Searching: p.Searching}
	if !p.Searching {
		k.log.Info("path", "mtu", k.status.Path.MTU, "content", p.ContentLen)
	}
	k.publish()
}

// overhead is what stands around the content on the underlay.
func (k *keeper) overhead() int {
	const udpHeader, ipv4Header, ipv6Header = 8, 20, 40
	n := record.HeaderLen + udpHeader + ipv6Header
	if k.endpoint.Addr().Unmap().Is4() {
		n += ipv4Header - ipv6Header
	}
	protection := k.status.Protection
	if protection == nil {
		return n + suite.TagLen
	}
	n += protection.UserPlane.TagBits / 8
	if protection.UserPlane.Form == policy.FormPDCP.String() {
		n += underlay.HeaderLen + pdcp.DataHeaderLen - record.HeaderLen
	}
	return n
}
