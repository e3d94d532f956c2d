package daemon

import (
	"errors"
	"io/fs"
	"log/slog"
	"maps"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"pc5d/daemon/auth/invite"
	"pc5d/daemon/control"
	"pc5d/daemon/host"
	"pc5d/daemon/keys"
	"pc5d/daemon/link"
	"pc5d/dataplane"
	"pc5d/dataplane/tundev"
	"pc5d/dataplane/udp"
	"pc5d/policy"
	"pc5d/policy/provision"
)

// disk is files in memory. Each operation is whole or nothing, as those of directory are; after a
// number of them the power goes, and then each one fails.
type disk struct {
	files map[string][]byte
	left  int  // operations until then; negative: never
	late  bool // the last one is done, though nobody hears of it
}

var errPower = errors.New("the power is gone")

func (d *disk) step(do func()) error {
	if d.left < 0 {
		do()
		return nil
	}
	if d.left == 0 {
		if d.late {
			do()
			d.late = false
		}
		return errPower
	}
	d.left--
	do()
	return nil
}

func (d *disk) Read(name string) ([]byte, error) {
	if b, ok := d.files[name]; ok {
		return slices.Clone(b), nil
	}
	return nil, fs.ErrNotExist
}

func (d *disk) Write(name string, data []byte) error {
	data = slices.Clone(data)
	return d.step(func() { d.files[name] = data })
}

func (d *disk) Remove(name string) error { return d.step(func() { delete(d.files, name) }) }

// unhosted is a host whose kernel is not touched.
type unhosted struct{}

func (unhosted) Configure(host.Interface) error   { return nil }
func (unhosted) Guard([]netip.Prefix) error       { return nil }
func (unhosted) Taken(netip.Addr) (string, error) { return "", nil }
func (unhosted) Clean() error                     { return nil }
func (unhosted) Close()                           {}

// known is an identity that makes no handshake.
type known struct{ link.Authentication }

func (known) Local() link.Peer { return link.Peer{Name: "alice", Fingerprint: policy.Fingerprint{1}} }

// today is a scheduler whose queues run nothing.
type today struct{ still }

func (today) Now() time.Time { return time.Unix(1_800_000_000, 0) }

// boot makes a node of what a disk holds, as a start does; its queues run nothing.
func boot(t *testing.T, d *disk) *Node {
	t.Helper()
	d.left = -1
	log := slog.New(slog.DiscardHandler)
	st := &state{dir: "/state", files: d, links: map[string]netip.AddrPort{}}
	engine := dataplane.New(dataplane.Config{Conn: udp.NewNetwork().Listen(netip.MustParseAddrPort("192.0.2.1:1")), Poller: tundev.NewFakePoller(), Log: log})
	own := provision.Node{Name: "alice"}
	var links []provision.Link
	for _, name := range slices.Sorted(maps.Keys(d.files)) {
		if !strings.HasPrefix(name, learntDir) {
			continue
		}
		l, err := provision.Learn(own, links, provision.Source{Name: filepath.Join("/state", name), Data: d.files[name]})
		if err != nil {
			t.Fatal(err)
		}
		links = append(links, l)
	}
	n := &Node{
		cfg: Config{
			Provisioning: &provision.Provisioning{Node: own, Links: links}, Scheduler: today{}, Engine: engine, Auth: known{}, Network: unhosted{},
			OpenTUN: func(name string, _ int) (tundev.Device, error) { return tundev.NewFake(name), nil },
		},
		log: log, state: st, demux: newDemux(), halfOpen: newHalfOpen(Limits{}.orDefaults()), ended: make(chan struct{}),
	}
	n.links.table.Store(&linkTable{})
	if err := n.firstUse.read(d); err != nil {
		t.Fatal(err)
	}
	n.readInvites()
	if err := n.configure(); err != nil {
		t.Fatal(err)
	}
	return n
}

// fork copies a disk and lets the power go after some operations.
func (d *disk) fork(left int, late bool) *disk {
	return &disk{files: maps.Clone(d.files), left: left, late: late}
}

// TestT41_T72_CrashWhileEnrolling: wherever the power goes while a joiner is pinned, afterwards there is
// either its link or the open invite, never both and never neither, and a pin that was not confirmed is
// not half there.
func TestT41_T72_CrashWhileEnrolling(t *testing.T) {
	first := &disk{files: map[string][]byte{}}
	n := boot(t, first)
	made, err := n.Invite(t.Context(), control.InviteRequest{Link: "pal", Expires: "1h", Endpoint: netip.MustParseAddrPort("192.0.2.1:33536")})
	if err != nil {
		t.Fatal(err)
	}
	token, err := invite.Parse(made.Token)
	if err != nil {
		t.Fatal(err)
	}
	proves := func(s keys.Secret) bool { return s.Equal(token.Secret) }
	seen := map[string]int{}
	for left := range 5 {
		for _, late := range []bool{false, true} {
			d := first.fork(left, late)
			running := boot(t, d)
			d.left, d.late = left, late
			_, pin, ok := enrolment{running}.Admit(link.Peer{Name: "bob", Fingerprint: policy.Fingerprint{2}}, "ip", proves)
			if !ok {
				t.Fatal("not admitted")
			}
			confirmed := pin() == nil
			again := boot(t, d)
			linked, open := again.keeper("pal") != nil, again.pairing.invites(today{}.Now())
			if linked == open {
				t.Errorf("power gone after %d operations (late %v): link %v, open invite %v", left, late, linked, open)
			}
			if confirmed && !linked {
				t.Errorf("power gone after %d operations (late %v): a confirmed pin is lost", left, late)
			}
			if linked && strings.Contains(string(d.files[invitesFile]), `"link"`) {
				t.Errorf("power gone after %d operations (late %v): the secret stays: %s", left, late, d.files[invitesFile])
			}
			seen[map[bool]string{true: "link", false: "invite"}[linked]]++
		}
	}
	if len(seen) != 2 {
		t.Errorf("only %v was seen", seen)
	}
}

// TestT41_T72_CrashWhileJoining: the joiner has afterwards its link with the secret, which it goes on
// with, or nothing at all.
func TestT41_T72_CrashWhileJoining(t *testing.T) {
	token := invite.Token{
		Name: "bob", Key: policy.Fingerprint{2}, Endpoint: netip.MustParseAddrPort("192.0.2.2:33536"), Secret: keys.NewSecret(make([]byte, invite.SecretLen)),
		Expires: time.Unix(1<<33, 0), Inviter: []netip.Addr{netip.MustParseAddr("10.5.0.1")}, Joiner: []netip.Addr{netip.MustParseAddr("10.5.0.2")},
	}
	empty := &disk{files: map[string][]byte{}}
	seen := map[bool]int{}
	for left := range 4 {
		for _, late := range []bool{false, true} {
			d := empty.fork(left, late)
			running := boot(t, d)
			d.left, d.late = left, late
			mine := token
			mine.Secret = keys.NewSecret(make([]byte, invite.SecretLen))
			confirmed := running.join(mine, "pal") == nil
			again := boot(t, d)
			k := again.keeper("pal")
			if (k != nil) != again.pairing.hasTaken("pal") || k != nil && !k.wanted || confirmed && k == nil {
				t.Errorf("power gone after %d operations (late %v): link %v, secret %v, confirmed %v", left, late, k != nil, again.pairing.hasTaken("pal"), confirmed)
			}
			seen[k != nil]++
		}
	}
	if len(seen) != 2 {
		t.Errorf("only %v was seen", seen)
	}
}

// TestT41_T72_DiskFull: a joiner whose link can not be written down gets none, the invite stays open,
// and when there is room again it serves.
func TestT41_T72_DiskFull(t *testing.T) {
	d := &disk{files: map[string][]byte{}}
	n := boot(t, d)
	made, err := n.Invite(t.Context(), control.InviteRequest{Link: "pal", Expires: "1h", Endpoint: netip.MustParseAddrPort("192.0.2.1:33536")})
	if err != nil {
		t.Fatal(err)
	}
	token, err := invite.Parse(made.Token)
	if err != nil {
		t.Fatal(err)
	}
	join := func() error {
		_, pin, ok := enrolment{n}.Admit(link.Peer{Name: "bob", Fingerprint: policy.Fingerprint{2}}, "ip", func(s keys.Secret) bool { return s.Equal(token.Secret) })
		if !ok {
			return errors.New("not admitted")
		}
		return pin()
	}
	d.left = 0
	if err := join(); err == nil || n.keeper("pal") != nil || !n.pairing.invites(today{}.Now()) {
		t.Errorf("with a full disk: %v", err)
	}
	d.left = -1
	if err := join(); err != nil || n.keeper("pal") == nil || n.pairing.invites(today{}.Now()) {
		t.Errorf("afterwards: %v", err)
	}
}

// TestT41_Limits: so many invites are open at a time, each for a link of its own that fits beside the
// others.
func TestT41_Limits(t *testing.T) {
	n := boot(t, &disk{files: map[string][]byte{}})
	ask := func(name string, change func(*control.InviteRequest)) error {
		r := control.InviteRequest{Link: name, Expires: "1h", Endpoint: netip.MustParseAddrPort("192.0.2.1:33536")}
		change(&r)
		_, err := n.Invite(t.Context(), r)
		return err
	}
	as := func(*control.InviteRequest) {}
	address := func(r *control.InviteRequest) {
		r.Addresses, r.Allowed = []netip.Addr{netip.MustParseAddr("10.5.0.1")}, []netip.Addr{netip.MustParseAddr("10.5.0.2")}
	}
	if err := ask("first", address); err != nil {
		t.Fatal(err)
	}
	for what, c := range map[string]struct {
		name   string
		change func(*control.InviteRequest)
	}{
		"the same link": {"first", as}, "the same prefix": {"second", address}, "a bad name": {"../evil", as}, "no name": {"", as}, "a long name": {"twelve-chars", as},
		"too short": {"second", func(r *control.InviteRequest) { r.Expires = "59s" }}, "too long": {"second", func(r *control.InviteRequest) { r.Expires = "169h" }}, "no time": {"second", func(r *control.InviteRequest) { r.Expires = "" }},
		"itself": {"second", func(r *control.InviteRequest) { r.Peer = "alice" }}, "a hostile name": {"second", func(r *control.InviteRequest) { r.Peer = "\x1b[2J" }},
		"one end only": {"second", func(r *control.InviteRequest) { address(r); r.Allowed = nil }}, "a public address": {"second", func(r *control.InviteRequest) { address(r); r.Allowed[0] = netip.MustParseAddr("8.8.8.8") }},
		"no endpoint": {"second", func(r *control.InviteRequest) { r.Endpoint = netip.AddrPort{} }},
	} {
		if ask(c.name, c.change) == nil {
			t.Errorf("%s: an invite was made", what)
		}
	}
	for i := 1; i < maxInvites; i++ {
		if err := ask("x"+string(rune('a'+i%26))+string(rune('a'+i/26)), as); err != nil {
			t.Fatal(err)
		}
	}
	if ask("one-more", as) == nil || len(n.openInvites()) != maxInvites {
		t.Errorf("%d are open", len(n.openInvites()))
	}
	if err := n.Revoke(t.Context(), "first"); err != nil {
		t.Fatal(err)
	}
	if err := ask("one-more", address); err != nil {
		t.Errorf("after a revocation: %v", err)
	}
	if n.Revoke(t.Context(), "first") == nil {
		t.Error("revoked twice")
	}
}
