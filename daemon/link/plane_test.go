package link_test

import (
	"fmt"
	"net/netip"
	"testing"

	"pc5d/daemon/link"
	"pc5d/dataplane/suite"
)

// plane is what a user plane knows of a link: which keys receive under which name, and which
// send. Keys are named by what the test can compare: their first octets.
type plane struct {
	receives map[link.Name]*planeKeys
	sends    *planeKeys
	name     link.Name // that it sends under
	broken   []string  // effects that made no sense
	left     map[*planeKeys]bool
	watching bool
	endpoint netip.AddrPort // where it was moved to

	watchingPath bool
	skipped      uint64 // at the newest change of the name
}

type planeKeys struct{ send, receive string }

func (p *plane) complain(format string, args ...any) {
	p.broken = append(p.broken, fmt.Sprintf(format, args...))
}

func (p *plane) install(e link.InstallUserPlane) {
	if p.receives == nil {
		p.receives = map[link.Name]*planeKeys{}
	}
	if p.receives[e.Name] != nil {
		p.complain("%v installed twice", e.Name)
	}
	p.receives[e.Name] = keysOf(e)
}

// keysOf names them. The standard form has one pair for both directions, told apart by DIRECTION.
func keysOf(e link.InstallUserPlane) *planeKeys {
	if e.Suite != suite.None {
		return &planeKeys{string(e.Send.Key.Bytes()), string(e.Receive.Key.Bytes())}
	}
	both := string(e.NRPEK.Bytes()) + string(e.NRPIK.Bytes())
	return &planeKeys{both + string(rune(e.Direction)), both + string(rune(1-e.Direction))}
}

func (p *plane) follow(e link.Effect) {
	switch e := e.(type) {
	case link.ActivateUserPlane:
		if p.left != nil && p.sends != nil {
			p.left[p.sends] = true
		}
		if p.sends = p.receives[e.Name]; p.sends == nil {
			p.complain("%v activated, not installed", e.Name)
		}
		if p.left[p.sends] {
			p.complain("%v activated again", e.Name)
		}
		p.name = e.Name
	case link.RemoveUserPlane:
		ended := p.receives[e.Name]
		for name, k := range p.receives {
			if k == ended {
				delete(p.receives, name)
			}
		}
		if p.sends == ended {
			p.sends = nil
		}
	case link.AddName:
		if p.receives[e.Of] == nil || p.receives[e.Name] != nil {
			p.complain("%v added to %v", e.Name, e.Of)
		}
		p.receives[e.Name] = p.receives[e.Of]
	case link.UseName:
		if p.receives[e.To] == nil || p.name != e.From || e.Skip == 0 {
			p.complain("%v used instead of %v, sending under %v", e.To, e.From, p.name)
		}
		p.name, p.skipped = e.To, e.Skip
	case link.DropName:
		delete(p.receives, e.Name)
	case link.PeerMoved:
		p.endpoint = e.Endpoint
	case link.WatchPath:
		p.watchingPath = true
	case link.WatchTraffic:
		p.watching = true
	}
}

// planesFit demands that what each end sends, the other can receive.
func (p *pair) planesFit(t testing.TB) {
	t.Helper()
	for _, ends := range [][2]*end{{p.a, p.b}, {p.b, p.a}} {
		from, to := &ends[0].plane, &ends[1].plane
		for _, complaint := range append(from.broken, to.broken...) {
			t.Error(complaint)
		}
		if from.sends == nil {
			continue
		}
		mirrored := link.Name{Local: from.name.Peer, Peer: from.name.Local, Session: from.name.Session}
		if k := to.receives[mirrored]; k == nil || k.receive != from.sends.send {
			t.Errorf("what is sent under %v can not be received: %v", from.name, to.receives)
		}
	}
}
