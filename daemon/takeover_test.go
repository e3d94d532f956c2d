package daemon

import (
	"errors"
	"log/slog"
	"net/netip"
	"testing"
	"time"

	"pc5d/daemon/link"
	"pc5d/daemon/task"
	"pc5d/dataplane"
	"pc5d/dataplane/tundev"
	"pc5d/dataplane/udp"
	"pc5d/policy"
)

// still is a scheduler whose queues run nothing.
type still struct{}

func (still) Now() time.Time             { return time.Time{} }
func (still) NewQueue(func()) task.Queue { return still{} }
func (still) Post(func())                {}
func (still) WakeAt(time.Time)           {}
func (still) Close()                     {}

// newStill makes a node with one keeper, whose tasks are called by the test.
func newStill(t *testing.T) *keeper {
	t.Helper()
	st, err := openState(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(st.close)
	log := slog.New(slog.DiscardHandler)
	engine := dataplane.New(dataplane.Config{Conn: udp.NewNetwork().Listen(netip.MustParseAddrPort("192.0.2.1:1")), Poller: tundev.NewFakePoller(), Log: log})
	plane, err := engine.AddLink("link", tundev.NewFake("pc5-link"))
	if err != nil {
		t.Fatal(err)
	}
	limits := Limits{}.orDefaults()
	n := &Node{
		cfg: Config{Scheduler: still{}, Engine: engine}, limits: limits, log: log, state: st, demux: newDemux(),
		halfOpen: newHalfOpen(limits), outbound: newOutbound(limits.Attempts),
	}
	k := &keeper{node: n, plane: plane, log: log, queue: still{}}
	k.view = newView(k.status)
	return k
}

func (k *keeper) runner() *runner {
	return &runner{node: k.node, keeper: k, queue: still{}, born: k.node.serial.Add(1)}
}

// TestWaitersOfAReplacedSession: whoever waits for a procedure of a session that another one
// replaces hears so at once.
func TestWaitersOfAReplacedSession(t *testing.T) {
	k := newStill(t)
	k.installed(k.runner(), k.node.serial.Add(1), link.Agreed{})
	done := make(chan error, 1)
	k.run(waiter{[]link.Procedure{link.RekeyingA}, done}, (*link.Machine).Rekey)
	k.installed(k.runner(), k.node.serial.Add(1), link.Agreed{})
	select {
	case err := <-done:
		if !errors.Is(err, errReplaced) {
			t.Errorf("told %v", err)
		}
	default:
		t.Error("nobody told it")
	}
}

// TestPairOfTwoResponders: who answers a request to everybody under the L2 ID of another
// responder, which it has seen, gets nothing that is sent to that one.
func TestPairOfTwoResponders(t *testing.T) {
	k := newStill(t)
	first, second := k.runner(), k.runner()
	k.node.demux.bind(1, 2, first)
	k.node.demux.bind(1, 2, second)
	if r := k.node.demux.byPair[pair{1, 2}]; r != recipient(first) {
		t.Error("the second responder has the first one's pair")
	}
	k.node.demux.unbind(1, 2, second)
	k.node.demux.unbind(1, 2, first)
	if len(k.node.demux.byPair) != 0 || len(k.node.demux.peers) != 0 {
		t.Errorf("kept: %v %v", k.node.demux.byPair, k.node.demux.peers)
	}
}

// TestSharedNameOutlivesAnAbandonedUpdate: a session that was born of a request to everybody goes
// on under the L2 ID of the request when an update of it came to nothing.
func TestSharedNameOutlivesAnAbandonedUpdate(t *testing.T) {
	k := newStill(t)
	r := k.runner()
	r.gathering = &gathering{node: k.node, local: 1, queue: still{}}
	r.dropName(link.Name{Local: 3, Peer: 4, Session: 5})
	if r.gathering == nil {
		t.Error("the L2 ID of the request is given back while it is in use")
	}
	r.dropName(link.Name{Local: 1, Peer: 2, Session: 5})
	if r.gathering != nil {
		t.Error("the L2 ID of the request is kept")
	}
}

// TestAttemptsOfAPeerAreBounded: a peer that authenticates again and again and never goes on has
// a few machines, and does not end this end's own attempt.
func TestAttemptsOfAPeerAreBounded(t *testing.T) {
	k := newStill(t)
	evil := link.Peer{Name: "evil", Fingerprint: policy.Fingerprint{6}}
	k.link = link.Link{Peer: evil.Name, Pins: []policy.Fingerprint{evil.Fingerprint}}
	own := k.runner()
	own.role = link.RoleA
	k.attempts = append(k.attempts, own)
	var last *runner
	for range 100 {
		last = k.runner()
		last.role = link.RoleB
		k.authenticated(last, link.Authenticated{Peer: evil})
	}
	if n := len(k.attempts); n > 8 || k.attempts[0] != own || k.attempts[n-1] != last {
		t.Errorf("%d attempts", n)
	}
}

// TestUnpairedWhileItAuthenticated: a session whose peer was found while its key was still pinned, and of
// which the keeper hears only after the operator has forgotten the pin, never has the link.
func TestUnpairedWhileItAuthenticated(t *testing.T) {
	k := newStill(t)
	k.link = link.Link{Name: "link", Peer: "bob", Trust: policy.TrustFirstUse}
	r := k.runner()
	r.role = link.RoleB
	k.authenticated(r, link.Authenticated{Peer: link.Peer{Name: "bob", Fingerprint: policy.Fingerprint{2}}})
	k.installed(r, k.node.serial.Add(1), link.Agreed{})
	if len(k.attempts) > 0 || k.current != nil {
		t.Errorf("it is an attempt, or has the link: %d, %v", len(k.attempts), k.current)
	}
}
