package auth

import (
	"errors"
	"testing"

	"pc5d/daemon/link"
	"pc5d/policy"
)

// TestT16_ReloadInsideAHandshake: a peer shows its certificates, waits until it is denied, and only then
// proves that the key is its own. It is judged by what counts at that end, whichever part it has and
// whatever speaks for it.
func TestT16_ReloadInsideAHandshake(t *testing.T) {
	root := newAuthority(t, "fleet", nil, keyOf(9), nil)
	bobs := fingerprintOf(t, keyOf(2))
	for _, c := range []struct {
		name      string
		certified bool
		answers   bool // alice calls
	}{
		{"certified, called", true, true},
		{"certified, calling", true, false},
		{"pinned, called", false, true},
		{"pinned, calling", false, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			trust := files(t, nil, nil, root)
			alice := certifying(t, func() (*Authorities, error) { return trust.Load() })
			bob := showing(t, "bob", keyOf(2), root.leaf(t, keyOf(2), nil))
			if !c.certified {
				alice.certified, alice.trust = noName, pinned{"bob": {bobs}}
			}
			client, server := alice, bob
			if !c.answers {
				client, server = bob, alice
			}
			a, err := client.Initiate("", nil)
			if err != nil {
				t.Fatal(err)
			}
			defer a.Close()
			b, err := server.Respond()
			if err != nil {
				t.Fatal(err)
			}
			defer b.Close()
			judge, flight := a, feed(t, b, feed(t, a, nil))
			if !c.answers {
				judge, flight = b, feed(t, a, flight)
			}
			last := len(flight) - 1
			feed(t, judge, flight[:last])
			trust = files(t, []policy.Fingerprint{bobs}, nil, root)
			if err := alice.Reload(); err != nil {
				t.Fatal(err)
			}
			_, err = judge.Feed(flight[last:])
			var refused *link.RefusedError
			if !errors.As(err, &refused) || refused.Refusal != link.RefusedDenied || judge.Complete() || judge.Peer() != (link.Peer{}) {
				t.Errorf("complete %v: %v, want %v", judge.Complete(), err, link.RefusedDenied)
			}
			if _, err := judge.ExportKNRP(nil); err == nil {
				t.Error("there is a key")
			}
		})
	}
}

// feed gives a flight to a handshake and returns the answer.
func feed(t *testing.T, h link.Handshake, flight []byte) []byte {
	t.Helper()
	answer, err := h.Feed(flight)
	if err != nil {
		t.Fatal(err)
	}
	return answer
}
