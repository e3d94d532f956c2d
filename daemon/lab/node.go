package lab

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"pc5d/daemon/auth"
	"pc5d/daemon/control/client"
	"pc5d/policy"
)

const (
	startTimeout = 5 * time.Second
	stopTimeout  = 2 * time.Second // a daemon's promise
)

// Node is one daemon of a pair and what it was provisioned with. Fields may be changed before
// Provision and Start.
type Node struct {
	Host   *Host
	Peer   *Node
	Four   netip.Addr // addresses inside the link
	Six    netip.Addr
	Pin    policy.Fingerprint // of the peer
	Trust  string             // of the peer, in words of the provisioning; "": the pin
	Calls  string             // where it calls the peer; "": at its host's address; "nowhere": it is called
	More   []string           // addresses inside the link, besides, with their lengths
	Behind []string           // prefixes behind the peer; nil: its addresses inside the link
	Own    string             // more keys of [node], each on a line
	Tail   string             // tables of the link, after what every link has
	Flags  []string           // more of the daemon's command line
	Client *client.Client

	dir     string
	log     *os.File
	process *Process
}

// Pair is a lab with a provisioned daemon on each host.
type Pair struct {
	*Lab
	Alice, Bob *Node
}

// NewPair makes the lab, two identities and two provisioning files (step 0) under dir.
func NewPair(dir string) (*Pair, error) { return NewPairOf(dir, "alice", "bob") }

// NewPairOf is NewPair with other names for the two; a name is a link's name too.
func NewPairOf(dir, alice, bob string) (*Pair, error) {
	l, err := New()
	if err != nil {
		return nil, err
	}
	l.A.Name, l.B.Name = alice, bob
	return newPair(l, dir)
}

// NewPairOverWire is NewPair with a Wire between the two.
func NewPairOverWire(dir string, seed uint64) (*Pair, error) {
	l, err := NewOverWire(seed)
	if err != nil {
		return nil, err
	}
	return newPair(l, dir)
}

func newPair(l *Lab, dir string) (*Pair, error) {
	p := &Pair{
		Lab:   l,
		Alice: &Node{Host: l.A, Four: netip.MustParseAddr("10.5.0.1"), Six: netip.MustParseAddr("fd05::1"), dir: dir},
		Bob:   &Node{Host: l.B, Four: netip.MustParseAddr("10.5.0.2"), Six: netip.MustParseAddr("fd05::2"), dir: dir},
	}
	p.Alice.Peer, p.Bob.Peer = p.Bob, p.Alice
	for _, n := range []*Node{p.Alice, p.Bob} {
		fp, err := auth.GenerateKey(n.path("key"))
		if err != nil {
			l.Close()
			return nil, err
		}
		n.Peer.Pin = fp
	}
	if err := errors.Join(p.Alice.Provision(), p.Bob.Provision()); err != nil {
		l.Close()
		return nil, err
	}
	return p, nil
}

// path is one of the node's files.
func (n *Node) path(suffix string) string { return filepath.Join(n.dir, n.Host.Name+"."+suffix) }

// Key is the file of the node's key.
func (n *Node) Key() string { return n.path("key") }

const provisioning = `[node]
name = %q
identity = %q
%s
[[link]]
name = %q
%s
addresses = [%s]
allowed = [%s]
%s
`

// Provision writes the node's provisioning file.
func (n *Node) Provision() error {
	trust := cmp.Or(n.Trust, fmt.Sprintf("pin = %q", n.Pin))
	behind := n.Behind
	if behind == nil {
		behind = n.Peer.inside()
	}
	text := fmt.Sprintf(provisioning, n.Host.Name, n.Key(), n.Own, n.Peer.Host.Name, trust, quoted(append(n.inside(), n.More...)), quoted(behind), n.endpoint())
	return os.WriteFile(n.path("toml"), []byte(text+n.Tail), 0o600)
}

// inside are the node's addresses inside the link that the peer knows.
func (n *Node) inside() []string { return []string{n.Four.String() + "/32", n.Six.String() + "/128"} }

func quoted(words []string) string { return `"` + strings.Join(words, `", "`) + `"` }

func (n *Node) endpoint() string {
	if n.Calls == "nowhere" {
		return ""
	}
	return fmt.Sprintf("endpoint = %q", cmp.Or(n.Calls, n.Peer.Host.Address.String()))
}

// Start starts the daemon and waits until it answers.
func (n *Node) Start(ctx context.Context, pc5d string) error {
	var err error
	if n.log, err = os.OpenFile(n.path("log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600); err != nil {
		return err
	}
	n.Client = client.New(n.path("sock"))
	flags := append([]string{"--config", n.path("toml"), "--socket", n.path("sock"), "--state", n.path("state")}, n.Flags...)
	n.process, err = n.Host.Start(n.log, pc5d, flags...)
	n.log.Close()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		if _, err := n.Client.Status(ctx); err == nil {
			return nil
		}
		select {
		case <-n.process.Done():
			return fmt.Errorf("pc5d of %s ended: %s", n.Host.Name, n.Log())
		case <-ctx.Done():
			return fmt.Errorf("pc5d of %s does not answer: %s", n.Host.Name, n.Log())
		case <-tick.C:
		}
	}
}

// Log returns what the daemon has written so far.
func (n *Node) Log() string {
	b, err := os.ReadFile(n.path("log"))
	if err != nil {
		return err.Error()
	}
	return string(b)
}

// Process is the running daemon; nil: it does not run.
func (n *Node) Process() *Process { return n.process }

// HangUp sends the daemon SIGHUP.
func (n *Node) HangUp() error { return n.process.command.Process.Signal(syscall.SIGHUP) }

// Stop ends the daemon by SIGTERM; it must end by itself, with code 0.
func (n *Node) Stop() error {
	if n.process == nil {
		return nil
	}
	p := n.process
	n.process = nil
	if err := p.Stop(stopTimeout); err != nil {
		return fmt.Errorf("pc5d of %s: %w", n.Host.Name, err)
	}
	return nil
}

// Forget removes the state directory of a daemon that does not run.
func (n *Node) Forget() error { return os.RemoveAll(n.path("state")) }

// Kill ends the daemon by SIGKILL.
func (n *Node) Kill() {
	n.process.kill()
	n.process = nil
}

// Close ends the daemons, then the lab.
func (p *Pair) Close() error {
	err := errors.Join(p.Alice.Stop(), p.Bob.Stop())
	p.Lab.Close()
	return err
}
