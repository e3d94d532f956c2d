package auth_test

import (
	"crypto/ed25519"
	"testing"
	"time"

	"pc5d/daemon/auth"
	"pc5d/policy"
)

// everyone pins one key for every name.
type everyone policy.Fingerprint

func (e everyone) Pinned(string) []policy.Fingerprint {
	return []policy.Fingerprint{policy.Fingerprint(e)}
}

// TestT76_StartBeforeTheClockWasSet: a daemon that started while its clock was years off, as on a
// machine without a battery, is accepted once the clocks agree, without another start.
func TestT76_StartBeforeTheClockWasSet(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, off := range []time.Duration{0, -56 * 365 * 24 * time.Hour, 10 * 365 * 24 * time.Hour} {
		make1 := func(name string, seed byte, started time.Time) *auth.Identity {
			id, err := auth.NewIdentity(ed25519.NewKeyFromSeed(append(make([]byte, 31), seed)), name, started)
			if err != nil {
				t.Fatal(err)
			}
			return id
		}
		alice, bob := make1("alice", 1, now.Add(off)), make1("bob", 2, now)
		node := func(id, peer *auth.Identity) *auth.Authentication {
			pin := auth.New(auth.Config{Identity: peer}).Local().Fingerprint
			return auth.New(auth.Config{Identity: id, Trust: everyone(pin), Now: func() time.Time { return now }, Curves: auth.Classic()})
		}
		a, err := node(alice, bob).Initiate("bob", everyone(node(bob, alice).Local().Fingerprint).Pinned("bob"))
		if err != nil {
			t.Fatal(err)
		}
		b, err := node(bob, alice).Respond()
		if err != nil {
			t.Fatal(err)
		}
		defer a.Close()
		defer b.Close()
		flight, err := a.Feed(nil)
		for from, to := a, b; err == nil && len(flight) > 0; from, to = to, from {
			flight, err = to.Feed(flight)
		}
		if err != nil || !a.Complete() || !b.Complete() {
			t.Errorf("clock %v off at the start: %v", off, err)
		}
	}
}
