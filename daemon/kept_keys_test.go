package daemon

import (
	"errors"
	"log/slog"
	"testing"
	"time"

	"pc5d/daemon/kept"
	"pc5d/daemon/keys"
	"pc5d/daemon/link"
	"pc5d/dataplane"
	"pc5d/policy"
	"pc5d/policy/provision"
)

// judge is a trust that admits whom the test says.
type judge struct{ refused map[string]bool }

func (j judge) Reload() error { return nil }
func (j judge) Admits(p link.Peer) error {
	if j.refused[p.Name] {
		return errors.New("refused")
	}
	return nil
}

// TestT16_RetainedKeys: a kept key stands only for a peer that is provisioned, trusted in the same way
// as when the key was made, and admitted; a restart asks the same.
func TestT16_RetainedKeys(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	pin, other, end := policy.Fingerprint{1}, policy.Fingerprint{2}, now.Add(time.Hour)
	for i, c := range []struct {
		name        string
		peer        string
		fingerprint policy.Fingerprint
		end         time.Time
		refused     string
		stays       bool
	}{
		{"pinned", "bob", pin, time.Time{}, "", true},
		{"another pin now", "bob", other, time.Time{}, "", false},
		{"by certificate, now pinned", "bob", pin, end, "", false},
		{"pinned and denied", "bob", pin, time.Time{}, "bob", false},
		{"by certificate", "carol", other, end, "", true},
		{"by certificate, another refused", "carol", other, end, "bob", true},
		{"by certificate, refused", "carol", other, end, "carol", false},
		{"pinned, now by certificate", "carol", pin, time.Time{}, "", false},
		{"left", "dave", pin, time.Time{}, "", false},
	} {
		store := kept.Open(kept.Config{Now: func() time.Time { return now }})
		n := &Node{log: slog.New(slog.DiscardHandler), cfg: Config{
			Scheduler: still{}, Auth: bearer{}, Trust: judge{}, OpenKept: func() *kept.Store { return store }, Provisioning: &provision.Provisioning{},
		}}
		n.publishLocked([]*keeper{
			{plane: new(dataplane.Link), link: link.Link{Name: "bob", Peer: "bob", Service: "ip", Pins: []policy.Fingerprint{pin}}},
			{plane: new(dataplane.Link), link: link.Link{Name: "carol", Peer: "carol", Service: "ip", Trust: policy.TrustCA}},
		})
		id := keys.KNRPID(i + 1)
		key := keys.ResumptionKey{Secret: keys.NewSecret(append(make([]byte, 31), 1))}
		entry := kept.Entry{ID: id, Peer: c.peer, Service: "ip", Fingerprint: c.fingerprint, Key: key, Made: now, Authenticated: now, CertificateEnd: c.end}
		store.Put(entry)
		n.cfg.Trust = judge{map[string]bool{c.refused: true}}
		n.keepKeys()
		n.retainKept()
		if _, ok := store.ByID(id); ok != c.stays {
			t.Errorf("%s: stays after the start: %v", c.name, ok)
		}
		store.Put(entry)
		if _, ok := n.kept.For(c.peer, "ip"); ok != (c.refused != c.peer) {
			t.Errorf("%s: found: %v", c.name, ok)
		}
		if r, err := n.Reload(t.Context()); err != nil || (r.Keys == 0) != c.stays {
			t.Errorf("%s: reload ended %d keys, %v", c.name, r.Keys, err)
		}
		n.kept.Put(link.KeptKey{ID: id, Peer: link.Peer{Name: c.peer, Fingerprint: c.fingerprint}, Service: "ip", Key: key, Made: now, Authenticated: now, CertificateEnd: c.end})
		if _, ok := store.ByID(id); ok != (c.refused != c.peer) {
			t.Errorf("%s: kept while it is refused: %v", c.name, ok)
		}
		store.Close()
	}
}
