package link_test

import (
	"crypto/ed25519"
	"crypto/tls"
	"testing"
	"time"

	"pc5d/daemon/auth"
	"pc5d/daemon/link"
	"pc5d/policy"
)

// pins is a fixed set of pinned keys.
type pins map[string][]policy.Fingerprint

func (p pins) Pinned(name string) []policy.Fingerprint { return p[name] }

// identities makes alice and bob, who have pinned each other; X25519 alone keeps flights short.
func identities(t testing.TB) (alice, bob link.Authentication) {
	t.Helper()
	make1 := func(name string, seed byte) *auth.Identity {
		key := ed25519.NewKeyFromSeed(append(make([]byte, 31), seed))
		id, err := auth.NewIdentity(key, name, epoch)
		if err != nil {
			t.Fatal(err)
		}
		return id
	}
	trust := pins{}
	node := func(name string, seed byte) *auth.Authentication {
		n := auth.New(auth.Config{Identity: make1(name, seed), Trust: trust, Now: func() time.Time { return epoch }, Curves: []tls.CurveID{tls.X25519}})
		trust[name] = []policy.Fingerprint{n.Local().Fingerprint}
		return n
	}
	return node("alice", 1), node("bob", 2)
}
