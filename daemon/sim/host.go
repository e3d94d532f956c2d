package sim

import (
	"context"
	"crypto/ed25519"
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"time"

	"pc5d/daemon"
	"pc5d/daemon/auth"
	"pc5d/daemon/control"
	"pc5d/daemon/link"
	"pc5d/policy"
	"pc5d/policy/provision"
)

// Host is one machine: its identity, its provisioning and its state directory outlive the
// daemon that runs on it.
type Host struct {
	Name    string
	Address netip.AddrPort
	Ends    []*End // of its links
	// Hybrid keeps the daemon's post-quantum group, whose flights need two fragments.
	Hybrid bool
	// Gate is the provisioning's: who does not know the fingerprint gets no answer.
	Gate bool
	// KeyFile keeps resumption keys in a file, as kept_keys = "file" does: they outlive the daemon.
	KeyFile bool

	// MTU is that of the interface to the underlay; 0: it takes everything. What is longer does not leave,
	// and the daemon hears of it at once.
	MTU int

	Timers link.Timers
	// Jump is how far the wall clock is off. Durations do not follow it (T76).
	Jump time.Duration

	world    *World
	key      ed25519.PrivateKey
	identity *auth.Identity // of the key alone: it tells the fingerprint
	process  *process       // nil: no daemon runs
	stranger func(Datagram) // instead of a daemon
}

// AddHost makes a host with an identity of its own. Its daemon does not run yet.
func (w *World) AddHost(name string) *Host {
	number := len(w.Hosts) + 1
	h := &Host{
		Name: name, world: w, Timers: link.ProfileIP(),
		Address: netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 0, 2, byte(number)}), provision.DefaultPort),
	}
	var seed [ed25519.SeedSize]byte
	binary.BigEndian.PutUint64(seed[:], w.Seed)
	seed[31] = byte(number)
	h.key = ed25519.NewKeyFromSeed(seed[:])
	w.Hosts = append(w.Hosts, h)
	w.Network.hosts[h.Address] = h
	h.identity = h.newIdentity(name)
	return h
}

// AddStranger makes a host that runs no daemon of ours; receive gets what is sent to it.
func (w *World) AddStranger(name string, receive func(Datagram)) *Host {
	h := w.AddHost(name)
	h.stranger = receive
	return h
}

// authentication is what the daemon's main makes.
func (h *Host) authentication(id *auth.Identity) *auth.Authentication {
	c := auth.Config{Identity: id, Trust: h, Now: h.wall}
	if !h.Hybrid {
		c.Curves = auth.Classic()
	}
	return auth.New(c)
}

// newIdentity makes the host's key and a name an identity, as each start of a daemon does.
func (h *Host) newIdentity(name string) *auth.Identity {
	id, err := auth.NewIdentity(h.key, name, h.wall())
	if err != nil {
		panic("BUG: sim: " + err.Error())
	}
	return id
}

// Peer is what the host's key proves.
func (h *Host) Peer() link.Peer { return h.authentication(h.identity).Local() }

// wall is the wall clock.
func (h *Host) wall() time.Time { return h.world.now.Add(h.Jump) }

// Pinned implements auth.Trust: the pins of all links to a name, which a daemon that runs knows best.
func (h *Host) Pinned(name string) []policy.Fingerprint {
	if h.process != nil {
		return h.process.node.Pinned(name)
	}
	var pins []policy.Fingerprint
	for _, e := range h.Ends {
		if e.Peer.Host.Name == name {
			pins = append(pins, e.pin())
		}
	}
	return pins
}

// Running tells whether a daemon runs here and is not on its way to stop.
func (h *Host) Running() bool { return h.process != nil && !h.process.stopping }

// Start starts the daemon. It fails where one runs.
func (h *Host) Start() error {
	if h.process != nil {
		return fmt.Errorf("%s: a daemon runs", h.Name)
	}
	p, err := newProcess(h)
	if err != nil {
		return err
	}
	h.process = p
	h.note("starts")
	p.node.Start()
	return nil
}

// Stop asks the daemon to end in order: it releases its links.
func (h *Host) Stop() {
	if h.Running() {
		h.note("stops")
		h.process.stop()
	}
}

// Kill ends the daemon at once and leaves what a crash leaves.
func (h *Host) Kill() {
	if h.process != nil {
		h.note("is killed")
		h.process.end()
	}
}

// Forget removes the state directory of a host that runs no daemon.
func (h *Host) Forget() {
	h.note("forgets its state")
	os.RemoveAll(h.stateDir())
}

// Tear leaves a state file that was cut while it was written.
func (h *Host) Tear() {
	h.note("has a torn state file")
	path := filepath.Join(h.stateDir(), "links.json")
	if b, err := os.ReadFile(path); err == nil {
		os.WriteFile(path, b[:len(b)/2], 0o600) // what fails leaves the whole file: fine, too
	}
}

func (h *Host) stateDir() string { return filepath.Join(h.world.Dir, h.Name) }

// Status is what pc5ctl status shows of a link.
func (h *Host) Status(end *End) control.LinkStatus {
	if h.process == nil {
		return control.LinkStatus{}
	}
	s, err := h.process.node.Status(context.Background())
	if err != nil {
		return control.LinkStatus{}
	}
	for _, l := range s.Links {
		if l.Name == end.Name {
			return l
		}
	}
	return control.LinkStatus{}
}

// receive is the way of a datagram into the host.
func (h *Host) receive(d Datagram) {
	switch {
	case h.stranger != nil:
		h.stranger(d)
	case h.process != nil:
		h.process.receive(d)
	}
}

func (h *Host) note(text string) { h.world.Trace.note(h.world.Now(), h.Name+" "+text) }

// provisioning is the file that the operator wrote (step 0), read by the real reader.
func (h *Host) provisioning() (*provision.Provisioning, error) {
	var b strings.Builder
	fmt.Fprintf(&b, "[node]\nname = %q\nidentity = \"key\"\ngate = %t\n", h.Name, h.Gate)
	if h.KeyFile {
		fmt.Fprintf(&b, "kept_keys = \"file\"\n")
	}
	for _, e := range h.Ends {
		e.writeTo(&b)
	}
	p, err := provision.Parse(h.Name+".toml", []byte(b.String()))
	if err != nil {
		return nil, err
	}
	learnt, err := h.learnt(p)
	p.Links = append(p.Links, learnt...)
	return p, err
}

// learnt reads the links that stand in the host's state directory.
func (h *Host) learnt(p *provision.Provisioning) ([]provision.Link, error) {
	sources, err := daemon.Learnt(h.stateDir())
	var links []provision.Link
	for _, s := range sources {
		l, learnErr := provision.Learn(p.Node, links, s)
		err = errors.Join(err, learnErr)
		links = append(links, l)
	}
	return links, err
}

// ForgetKeys is the operator's word: all kept keys end.
func (h *Host) ForgetKeys() {
	if h.process != nil {
		h.note("forgets its keys")
		h.process.node.Forget(context.Background(), "")
	}
}
