package daemon

import (
	"bytes"
	"fmt"
	"sync"

	"pc5d/daemon/auth/pskdhe"
	"pc5d/daemon/keys"
	"pc5d/daemon/link"
	"pc5d/policy"
	"pc5d/policy/provision"
)

// preShared are the pre-shared keys of the provisioning. The newest time seen under each is in
// memory only: what is not newer than the daemon's start has to bring a cookie (T05).
type preShared struct {
	mu     sync.Mutex     // guards the fields below
	keys   []link.KeptKey // in the order of the links; none once they are wiped
	newest map[policy.Fingerprint]uint64
}

// openPreShared takes the keys over that were loaded for links, by name.
func openPreShared(links []provision.Link, loaded map[string]keys.Secret, start uint64) (*preShared, error) {
	p := &preShared{newest: map[policy.Fingerprint]uint64{}}
	for _, l := range links {
		if l.PSK == "" {
			continue
		}
		secret, ok := loaded[l.Name]
		if !ok {
			return nil, fmt.Errorf("local: pre-shared key of link %q was not loaded", l.Name)
		}
		fp, err := pskdhe.Fingerprint(secret)
		if err != nil {
			return nil, err
		}
		if _, there := p.newest[fp]; there {
			return nil, fmt.Errorf("link %q has the pre-shared key of another link: make one of its own with pc5ctl key psk", l.Name)
		}
		p.newest[fp] = start
		p.keys = append(p.keys, link.KeptKey{
			PreShared: true, Peer: link.Peer{Name: l.Peer, Fingerprint: fp}, Service: l.Service, Key: keys.ResumptionKey{Secret: secret},
		})
	}
	return p, nil
}

// find returns a copy of the key for a peer and a service.
func (p *preShared) find(peer, service string) (link.KeptKey, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, k := range p.keys {
		if k.Peer.Name == peer && k.Service == service {
			return lent(k), true
		}
	}
	return link.KeptKey{}, false
}

// stands tells whether a peer and a service have a key.
func (p *preShared) stands(peer, service string) bool {
	_, ok := p.pin(peer, service)
	return ok
}

// pin is what stands for the key of a peer and a service.
func (p *preShared) pin(peer, service string) (policy.Fingerprint, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, k := range p.keys {
		if k.Peer.Name == peer && k.Service == service {
			return k.Peer.Fingerprint, true
		}
	}
	return policy.Fingerprint{}, false
}

// copyTo copies the n-th key into memory of the caller; false: there is none.
func (p *preShared) copyTo(n int, into *link.KeptKey) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if n >= len(p.keys) {
		return false
	}
	key := into.Key
	copy(key.Bytes(), p.keys[n].Key.Bytes())
	*into = p.keys[n]
	into.Key = key
	return true
}

func (p *preShared) len() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.keys)
}

// accept is true once for a time newer than all before under a key.
func (p *preShared) accept(fp policy.Fingerprint, timestamp uint64) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if newest, there := p.newest[fp]; !there || timestamp <= newest {
		return false
	}
	p.newest[fp] = timestamp
	return true
}

// wipe ends the keys; what was lent goes with the machines that have it. Datagrams may still arrive,
// and whoever computes with zeros would prove a key that is wiped: so there is none any more.
func (p *preShared) wipe() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, k := range p.keys {
		k.Key.Wipe()
	}
	p.keys = nil
}

func lent(k link.KeptKey) link.KeptKey {
	k.Key = keys.ResumptionKey{Secret: keys.NewSecret(bytes.Clone(k.Key.Bytes()))}
	return k
}
