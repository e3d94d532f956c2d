package daemon

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"time"

	"pc5d/daemon/auth/invite"
	"pc5d/daemon/keys"
)

// invitesDocument is the file. The secrets stand in it, because a proof can only be checked with them;
// it is its owner's alone, and shorter by each invite that ends.
type invitesDocument struct {
	Open  []openDocument  `json:"open"`
	Taken []takenDocument `json:"taken"`
}

type openDocument struct {
	Link      string       `json:"link"`
	Peer      string       `json:"peer,omitempty"`
	Secret    []byte       `json:"secret"`
	Expires   time.Time    `json:"expires"`
	Addresses []netip.Addr `json:"addresses"`
	Allowed   []netip.Addr `json:"allowed"`
}

type takenDocument struct {
	Link    string    `json:"link"`
	Secret  []byte    `json:"secret"`
	Expires time.Time `json:"expires"`
}

// document copies nothing: it shares the secrets' octets, for as long as links.change is held.
func (p *pairing) document() invitesDocument {
	p.mu.RLock()
	defer p.mu.RUnlock()
	d := invitesDocument{Open: []openDocument{}, Taken: []takenDocument{}}
	for _, i := range p.open {
		d.Open = append(d.Open, openDocument{Link: i.link, Peer: i.peer, Secret: i.secret.Bytes(), Expires: i.expires, Addresses: i.addresses, Allowed: i.allowed})
	}
	for _, i := range p.taken {
		d.Taken = append(d.Taken, takenDocument{Link: i.link, Secret: i.secret.Bytes(), Expires: i.expires})
	}
	return d
}

// writeInvitesLocked makes the file say what the memory says.
func (n *Node) writeInvitesLocked() error {
	b, err := json.Marshal(n.pairing.document())
	if err != nil {
		return err
	}
	defer clear(b)
	if err := n.state.files.Write(invitesFile, b); err != nil {
		return fmt.Errorf("invites: %w", err)
	}
	return nil
}

// readInvites reads the file at the start. One that is damaged costs its invites: new ones can be made.
func (n *Node) readInvites() {
	b, err := n.state.files.Read(invitesFile)
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	defer clear(b)
	var d invitesDocument
	if err == nil {
		decoder := json.NewDecoder(bytes.NewReader(b))
		decoder.DisallowUnknownFields()
		err = decoder.Decode(&d)
	}
	if err != nil {
		n.log.Warn("open invites are lost: make new ones", "error", err)
		return
	}
	for _, i := range d.Open {
		if len(i.Secret) == invite.SecretLen && len(n.pairing.open) < maxInvites {
			n.pairing.open = append(n.pairing.open, &openInvite{link: i.Link, peer: i.Peer, secret: keys.NewSecret(i.Secret), expires: i.Expires, addresses: i.Addresses, allowed: i.Allowed})
		}
	}
	for _, i := range d.Taken {
		if len(i.Secret) == invite.SecretLen {
			n.pairing.taken = append(n.pairing.taken, &takenInvite{link: i.Link, secret: keys.NewSecret(i.Secret), expires: i.Expires})
		}
	}
}
