package daemon

import (
	"errors"
	"log/slog"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"pc5d/daemon/auth/invite"
	"pc5d/daemon/control"
	"pc5d/daemon/keys"
	"pc5d/daemon/link"
	"pc5d/policy"
	"pc5d/policy/provision"
)

// denying is a Trust that denies keys.
type denying struct{ keys []policy.Fingerprint }

func (d *denying) Reload() error { return nil }

func (d *denying) Admits(p link.Peer) error {
	if slices.Contains(d.keys, p.Fingerprint) {
		return errors.New("denied")
	}
	return nil
}

// invited makes an invite at a node and gives what proves it.
func invited(t *testing.T, n *Node) (proves func(keys.Secret) bool) {
	t.Helper()
	made, err := n.Invite(t.Context(), control.InviteRequest{Link: "pal", Expires: "1h", Endpoint: netip.MustParseAddrPort("192.0.2.1:33536")})
	if err != nil {
		t.Fatal(err)
	}
	token, err := invite.Parse(made.Token)
	if err != nil {
		t.Fatal(err)
	}
	return func(s keys.Secret) bool { return s.Equal(token.Secret) }
}

// operatorWrote adds links that the operator wrote.
func (n *Node) operatorWrote(t *testing.T, links ...provision.Link) {
	t.Helper()
	keepers := slices.Clone(n.ordered())
	for _, l := range links {
		k, err := n.makeLink(l)
		if err != nil {
			t.Fatal(err)
		}
		keepers = append(keepers, k)
	}
	n.publishLocked(keepers)
}

// TestT16_T41_DeniedJoiner: a key that a reload denied gets no link by an invite, whether it was denied
// before its proof was checked or between that and its first MAC; and the invite stays open.
func TestT16_T41_DeniedJoiner(t *testing.T) {
	bob := link.Peer{Name: "bob", Fingerprint: policy.Fingerprint{2}}
	n := boot(t, &disk{files: map[string][]byte{}})
	proves := invited(t, n)
	deny := &denying{}
	n.cfg.Trust = deny
	_, pin, ok := enrolment{n}.Admit(bob, "ip", proves)
	if !ok {
		t.Fatal("not admitted")
	}
	deny.keys = []policy.Fingerprint{bob.Fingerprint}
	if pin() == nil || n.keeper("pal") != nil {
		t.Error("a key that was denied meanwhile has a link")
	}
	if _, _, ok := (enrolment{n}).Admit(bob, "ip", proves); ok {
		t.Error("a denied key is admitted")
	}
	if !n.pairing.invites(n.now()) {
		t.Error("the invite is used up")
	}
}

// TestT16_DeniedFirstUse: the same for the first use of a name.
func TestT16_DeniedFirstUse(t *testing.T) {
	bob := link.Peer{Name: "bob", Fingerprint: policy.Fingerprint{2}}
	n := boot(t, &disk{files: map[string][]byte{}})
	n.operatorWrote(t, provision.Link{Name: "pal", Peer: "bob", Service: "ip", Trust: policy.TrustFirstUse})
	deny := &denying{}
	n.cfg.Trust = deny
	_, pin, ok := enrolment{n}.Admit(bob, "ip", nil)
	if !ok {
		t.Fatal("not admitted")
	}
	deny.keys = []policy.Fingerprint{bob.Fingerprint}
	if pin() == nil || n.Pinned("bob") != nil {
		t.Error("a key that was denied meanwhile is pinned")
	}
	if _, _, ok := (enrolment{n}).Admit(bob, "ip", nil); ok {
		t.Error("a denied key is admitted")
	}
}

// TestT12_FirstUseOfTwoServices: the first key of a name counts for all its links. One that was admitted
// for another service before that, and comes later, is refused.
func TestT12_FirstUseOfTwoServices(t *testing.T) {
	n := boot(t, &disk{files: map[string][]byte{}})
	n.operatorWrote(t,
		provision.Link{Name: "one", Peer: "bob", Service: "ip", Trust: policy.TrustFirstUse},
		provision.Link{Name: "two", Peer: "bob", Service: "video", Trust: policy.TrustFirstUse})
	genuine, other := link.Peer{Name: "bob", Fingerprint: policy.Fingerprint{2}}, link.Peer{Name: "bob", Fingerprint: policy.Fingerprint{3}}
	_, pin, ok := enrolment{n}.Admit(genuine, "ip", nil)
	_, late, lateOK := enrolment{n}.Admit(other, "video", nil)
	if !ok || !lateOK {
		t.Fatal("not admitted")
	}
	if err := pin(); err != nil {
		t.Fatal(err)
	}
	if err := late(); !errors.Is(err, errOtherKey) {
		t.Errorf("another key of the name: %v", err)
	}
	if _, _, ok := (enrolment{n}).Admit(other, "video", nil); ok {
		t.Error("it is admitted again")
	}
	if pins := n.Pinned("bob"); len(pins) != 1 {
		t.Errorf("pins of the name: %v", pins)
	}
	if _, pin, ok := (enrolment{n}).Admit(genuine, "video", nil); !ok || pin() != nil {
		t.Error("the first key is refused for the other service")
	}
}

// TestT41_KnownNameOtherKey: neither a token nor a joiner brings another key for a name that is pinned
// for another service already.
func TestT41_KnownNameOtherKey(t *testing.T) {
	n := boot(t, &disk{files: map[string][]byte{}})
	n.operatorWrote(t, provision.Link{Name: "old", Peer: "bob", Service: "video", Pin: policy.Fingerprint{2}})
	token := invite.Token{
		Name: "bob", Key: policy.Fingerprint{3}, Endpoint: netip.MustParseAddrPort("192.0.2.2:33536"), Secret: keys.NewSecret(make([]byte, invite.SecretLen)),
		Expires: n.now().Add(3600e9), Inviter: []netip.Addr{netip.MustParseAddr("10.5.0.1")}, Joiner: []netip.Addr{netip.MustParseAddr("10.5.0.2")},
	}
	if err := n.join(token, "new"); err == nil || !strings.Contains(err.Error(), "old") {
		t.Errorf("joined: %v", err)
	}
	proves := invited(t, n)
	if _, _, ok := (enrolment{n}).Admit(link.Peer{Name: "bob", Fingerprint: policy.Fingerprint{3}}, "ip", proves); ok {
		t.Error("a joiner with another key is admitted")
	}
	if _, pin, ok := (enrolment{n}).Admit(link.Peer{Name: "bob", Fingerprint: policy.Fingerprint{2}}, "ip", proves); !ok || pin() != nil {
		t.Error("the key that is pinned is refused")
	}
}

// TestT41_JoinBesideInvite: a token for a link that an open invite is for is not taken up, and the
// invite stays; nor is one of an inviter that this host has joined already.
func TestT41_JoinBesideInvite(t *testing.T) {
	n := boot(t, &disk{files: map[string][]byte{}})
	invited(t, n)
	token := invite.Token{
		Name: "bob", Key: policy.Fingerprint{3}, Endpoint: netip.MustParseAddrPort("192.0.2.2:33536"), Secret: keys.NewSecret(make([]byte, invite.SecretLen)),
		Expires: n.now().Add(3600e9), Inviter: []netip.Addr{netip.MustParseAddr("10.5.0.1")}, Joiner: []netip.Addr{netip.MustParseAddr("10.5.0.2")},
	}
	if err := n.join(token, "pal"); err == nil || !strings.Contains(err.Error(), "--revoke pal") {
		t.Errorf("joined: %v", err)
	}
	if n.keeper("pal") != nil || len(n.openInvites()) != 1 {
		t.Errorf("invites: %v", n.openInvites())
	}
	if err := n.join(token, "bob"); err != nil {
		t.Error(err)
	}
	if err := n.join(token, "again"); err == nil || !strings.Contains(err.Error(), "unpair bob") || n.keeper("again") != nil || !n.pairing.hasTaken("bob") {
		t.Errorf("joined again: %v", err)
	}
}

// TestT41_CloseKeepsTheFile: what follows the end of a node does not write the invites that it wiped.
func TestT41_CloseKeepsTheFile(t *testing.T) {
	d := &disk{files: map[string][]byte{}}
	n := boot(t, d)
	invited(t, n)
	token := invite.Token{
		Name: "bob", Key: policy.Fingerprint{3}, Endpoint: netip.MustParseAddrPort("192.0.2.2:33536"), Secret: keys.NewSecret(make([]byte, invite.SecretLen)),
		Expires: n.now().Add(3600e9), Inviter: []netip.Addr{netip.MustParseAddr("10.5.0.1")}, Joiner: []netip.Addr{netip.MustParseAddr("10.5.0.2")},
	}
	if err := n.join(token, "bob"); err != nil {
		t.Fatal(err)
	}
	before := string(d.files[invitesFile])
	n.pairing.stale = true
	n.links.change.Lock()
	n.links.closed = true
	n.closePairingLocked()
	n.links.change.Unlock()
	n.served("bob") // it was established before the end, and waited for it
	n.expireInvites()
	if got := string(d.files[invitesFile]); got != before {
		t.Errorf("the file says %s", got)
	}
}

// TestT39_LinkNameFrom: a link's name that is made of a peer's is a good one, or none.
func TestT39_LinkNameFrom(t *testing.T) {
	for _, peer := range []string{"alice", "Zoë's truck", "g-", "g-x", "g-g-x", "g-.x", "g--x", "_._", "\x1b[2J", "..", "../../etc", "g-g-g-g-_-", strings.Repeat("g-", 60) + "z"} {
		name := linkNameFrom(peer)
		if name == "" {
			continue
		}
		text := provision.Text(provision.Link{Name: name, Peer: "bob", Service: "ip", Pin: policy.Fingerprint{1}}, "Learnt")
		if _, err := provision.Learn(provision.Node{Name: "me"}, nil, provision.Source{Name: learntFile(name), Data: text}); err != nil {
			t.Errorf("%q makes %q: %v", peer, name, err)
		}
	}
}

// TestT41_ShadowedLinkUsedTheInvite: an invite whose link was written before a crash is used, also where
// the provisioning has taken the link's place at the next start.
func TestT41_ShadowedLinkUsedTheInvite(t *testing.T) {
	d := &disk{files: map[string][]byte{}}
	n := boot(t, d)
	proves := invited(t, n)
	invites := d.files[invitesFile]
	_, pin, ok := enrolment{n}.Admit(link.Peer{Name: "bob", Fingerprint: policy.Fingerprint{2}}, "ip", proves)
	if !ok || pin() != nil {
		t.Fatal("not enrolled")
	}
	d.files[invitesFile] = invites // as a crash right after the link leaves it
	n.pairing.open = nil
	n.publishLocked(nil)
	n.log = slog.New(slog.DiscardHandler)
	n.readInvites()
	n.settleInvitesLocked()
	if n.pairing.invites(n.now()) {
		t.Error("the used invite is open again")
	}
	again := control.InviteRequest{Link: "pal", Expires: "1h", Endpoint: netip.MustParseAddrPort("192.0.2.1:33536")}
	if _, err := n.Invite(t.Context(), again); err == nil || !strings.Contains(err.Error(), "unpair pal") {
		t.Errorf("a new invite for a link that is left out: %v", err)
	}
	if err := n.Unpair(t.Context(), "pal"); err != nil {
		t.Error(err)
	}
	if _, err := n.Invite(t.Context(), again); err != nil {
		t.Errorf("after it was forgotten: %v", err)
	}
}

// neighbour is a host with one address that is taken.
type neighbour struct {
	unhosted
	at netip.Addr
}

func (n neighbour) Taken(a netip.Addr) (string, error) {
	if a == n.at {
		return "interface eth0", nil
	}
	return "", nil
}

// TestT41_T62_AddressesOfTheHost: neither a token nor an invite brings addresses into a link that mean
// something on the host: a neighbour's or its own, or the endpoint of another link.
func TestT41_T62_AddressesOfTheHost(t *testing.T) {
	taken, endpoint, free := netip.MustParseAddr("192.168.1.1"), netip.MustParseAddr("10.1.1.1"), netip.MustParseAddr("10.5.0.1")
	moved := netip.MustParseAddr("10.1.1.2")
	n := boot(t, &disk{files: map[string][]byte{}})
	n.cfg.Network = neighbour{at: taken}
	n.operatorWrote(t, provision.Link{Name: "old", Peer: "carol", Service: "ip", Endpoint: netip.AddrPortFrom(endpoint, 33536)})
	if err := n.state.remember("old", netip.AddrPortFrom(moved, 1)); err != nil {
		t.Fatal(err)
	}
	other := netip.MustParseAddr("10.5.0.9")
	for _, a := range []netip.Addr{taken, endpoint, moved, free} {
		for _, pair := range [][2]netip.Addr{{other, a}, {a, other}} {
			token := invite.Token{
				Name: "bob", Key: policy.Fingerprint{3}, Endpoint: netip.MustParseAddrPort("192.0.2.2:33536"), Secret: keys.NewSecret(make([]byte, invite.SecretLen)),
				Expires: n.now().Add(3600e9), Inviter: pair[:1], Joiner: pair[1:],
			}
			_, inviteErr := n.Invite(t.Context(), control.InviteRequest{Link: "pal", Expires: "1h", Endpoint: netip.MustParseAddrPort("192.0.2.1:33536"), Addresses: pair[:1], Allowed: pair[1:]})
			if inviteErr == nil {
				if err := n.Revoke(t.Context(), "pal"); err != nil {
					t.Fatal(err)
				}
			}
			for _, err := range []error{inviteErr, n.join(token, "new")} {
				if (err == nil) != (a == free) {
					t.Errorf("%s: %v", a, err)
				}
			}
			if a == free {
				return
			}
		}
	}
}
