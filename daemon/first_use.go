package daemon

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"time"

	"pc5d/daemon/link"
	"pc5d/policy"
	"pc5d/policy/provision"
)

const firstUseFile = "first-use.json" // in the state directory

// errOtherKey says that a key is not the one that the first use pinned.
var errOtherKey = errors.New("another key was pinned at its first use: pc5ctl unpair LINK forgets it, if the peer has a new key")

// firstPin is the key that a peer showed at its first use.
type firstPin struct {
	Peer    string             `json:"peer"`
	Service string             `json:"service"`
	Key     policy.Fingerprint `json:"key"`
	At      time.Time          `json:"at"`
}

// firstUses are the pins of first uses, by link, as they stand on the disk. One whose link is not
// provisioned now stays: it counts again when the link comes back. Guarded by links.change.
type firstUses struct{ pins map[string]*firstPin }

// read reads them at the start. A damaged file stops it: without the pins the next key of anybody's
// would be the right one.
func (f *firstUses) read(from files) error {
	f.pins = map[string]*firstPin{}
	b, err := from.Read(firstUseFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil {
		d := json.NewDecoder(bytes.NewReader(b))
		d.DisallowUnknownFields()
		err = d.Decode(&f.pins)
	}
	for name, p := range f.pins {
		if err == nil && p == nil {
			err = fmt.Errorf("link %s has no pin", name)
		}
	}
	if err != nil {
		return fmt.Errorf("pins of first uses, %s in the state directory: %w; remove it to trust the next key of each peer anew", firstUseFile, err)
	}
	return nil
}

// pin is the pin of a link; nil: there is none.
func (f *firstUses) pin(l provision.Link) *firstPin {
	p := f.pins[l.Name]
	if p == nil || l.Trust != policy.TrustFirstUse || p.Peer != l.Peer || p.Service != l.Service {
		return nil
	}
	return p
}

// set writes another pin of a link, or none, and only then knows it.
func (f *firstUses) set(to files, name string, p *firstPin) error {
	pins := maps.Clone(f.pins)
	if pins[name] = p; p == nil {
		delete(pins, name)
	}
	b, err := json.MarshalIndent(pins, "", "  ")
	if err == nil {
		err = to.Write(firstUseFile, b)
	}
	if err != nil {
		return fmt.Errorf("pin of the first use: %w", err)
	}
	f.pins = pins
	return nil
}

// provisioned is the link as it stands now, with the pin of its first use.
func (k *keeper) provisioned() link.Link {
	l := k.link
	if p := k.pinned.Load(); p != nil {
		l.Pins = []policy.Fingerprint{p.Key}
	}
	return l
}

// trusted makes the status say whom the link trusts.
func (k *keeper) trusted() {
	k.status.Pin, k.status.Pinned = "", time.Time{}
	if l := k.provisioned(); len(l.Pins) > 0 {
		k.status.Pin = l.Pins[0].String()
	}
	if p := k.pinned.Load(); p != nil {
		k.status.Pinned = p.At
	}
}

// FirstUse tells whether the next key that speaks for a name will be pinned.
func (n *Node) FirstUse(name string) bool {
	for _, k := range n.ordered() {
		if k.link.Peer == name && k.link.Trust == policy.TrustFirstUse && k.pinned.Load() == nil {
			return true
		}
	}
	return false
}

// otherPin finds a link that pins another key for a peer's name; nil: there is none.
func (n *Node) otherPin(peer link.Peer) *keeper {
	for _, k := range n.ordered() {
		pins := k.provisioned().Pins
		if k.link.Peer == peer.Name && k.link.Trust != policy.TrustPSK && len(pins) > 0 && !slices.Contains(pins, peer.Fingerprint) {
			return k
		}
	}
	return nil
}

// firstUseOf finds the link whose first use this is.
func (n *Node) firstUseOf(peer link.Peer, service string) (link.Link, link.Pin, bool) {
	if n.otherPin(peer) != nil {
		return link.Link{}, nil, false
	}
	for _, k := range n.ordered() {
		if k.link.Peer != peer.Name || k.link.Service != service || k.link.Trust != policy.TrustFirstUse || k.pinned.Load() != nil {
			continue
		}
		return k.provisioned(), func() error { return n.pinFirst(k, peer.Fingerprint) }, true
	}
	return link.Link{}, nil, false
}

// pinFirst pins a key. Of several at once the first one here is it, for all links to the name: a key
// that was admitted before that and is another one comes too late (T12), and so does one that was denied
// meanwhile (T16).
func (n *Node) pinFirst(k *keeper, key policy.Fingerprint) error {
	n.links.change.Lock()
	defer n.links.change.Unlock()
	if n.keeper(k.link.Name) != k {
		return errRemoved
	}
	peer := link.Peer{Name: k.link.Peer, Fingerprint: key}
	if err := n.admits(peer); err != nil {
		k.log.Warn("key refused at its first use", "peer", k.link.Peer, "key", key.String(), "why", err.Error())
		return err
	}
	if other := n.otherPin(peer); other != nil {
		k.log.Warn("key refused: another one was pinned at its first use", "peer", k.link.Peer, "key", key.String(), "pinned", other.provisioned().Pins[0].String())
		return errOtherKey
	}
	if k.pinned.Load() != nil {
		return nil
	}
	p := &firstPin{Peer: k.link.Peer, Service: k.link.Service, Key: key, At: n.now().UTC()}
	if err := n.firstUse.set(n.state.files, k.link.Name, p); err != nil {
		k.log.Error("local: a key can not be pinned", "peer", k.link.Peer, "error", err)
		return err
	}
	k.pinned.Store(p)
	k.log.Info("key pinned at its first use", "peer", k.link.Peer, "key", key.String())
	k.post(func(k *keeper) { k.trusted(); k.publish() })
	return nil
}

// unpinLocked forgets the pin of a link's first use, and ends what rests on it.
func (n *Node) unpinLocked(k *keeper) (done chan struct{}, err error) {
	p := k.pinned.Load()
	if p == nil {
		return nil, fmt.Errorf("link %s has pinned no key yet", k.link.Name)
	}
	if err := n.firstUse.set(n.state.files, k.link.Name, nil); err != nil {
		return nil, err
	}
	k.pinned.Store(nil)
	k.log.Info("pin of the first use forgotten", "peer", k.link.Peer, "key", p.Key.String())
	done = make(chan struct{})
	k.post(func(k *keeper) {
		if err := k.down(); err != nil {
			k.log.Warn("the link is remembered as wanted", "error", err)
		}
		k.trusted()
		k.publish()
		k.settled = append(k.settled, func() {
			if n.store != nil {
				n.store.Forget(k.link.Peer)
			}
			close(done)
		})
	})
	return done, nil
}
