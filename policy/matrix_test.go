package policy_test

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"pc5d/dataplane/nea"
	"pc5d/policy"
)

// protections are the nine policies of an end, in the order of the matrices below.
var protections = []policy.Protection{
	{Integrity: need, Ciphering: need}, {Integrity: need, Ciphering: like}, {Integrity: need, Ciphering: none},
	{Integrity: like, Ciphering: need}, {Integrity: like, Ciphering: like}, {Integrity: like, Ciphering: none},
	{Integrity: none, Ciphering: need}, {Integrity: none, Ciphering: like}, {Integrity: none, Ciphering: none},
}

// The matrices have a row for each policy of this end and a column for each of the peer:
// b both on, i integrity only, c ciphering only, n neither, . mismatch.
const (
	userPlaneMatrix = `
		bb. bb. ...
		bbi bbi ...
		.ii .ii ...
		bb. bb. cc.
		bbi bbi ccn
		.ii .ii .nn
		... cc. cc.
		... ccn ccn
		... .nn .nn`
	// Signalling with integrity off has no ciphering either, and only with consent.
	signallingMatrix = `
		bb. bb. ...
		bbi bbi ...
		.ii .ii ...
		bb. bb. ...
		bbi bbi ...
		.ii .ii ...
		... ... ...
		... ... ...
		... ... ...`
	signallingNullMatrix = `
		bb. bb. ...
		bbi bbi ...
		.ii .ii ...
		bb. bb. ...
		bbi bbi .nn
		.ii .ii .nn
		... ... ...
		... .nn .nn
		... .nn .nn`
)

// checkMatrix compares the outcome for each pair of policies with a matrix.
func checkMatrix(t *testing.T, matrix string, outcome func(own, peer policy.Protection) byte) {
	t.Helper()
	cells := strings.Join(strings.Fields(matrix), "")
	if len(cells) != len(protections)*len(protections) {
		t.Fatalf("the matrix has %d cells", len(cells))
	}
	for i, own := range protections {
		for j, peer := range protections {
			if got, want := outcome(own, peer), cells[i*len(protections)+j]; got != want {
				t.Errorf("own %v, peer %v: %c, want %c", own, peer, got, want)
			}
		}
	}
}

func letter(integrity, ciphering bool, err error) byte {
	switch {
	case err != nil:
		return '.'
	case integrity && ciphering:
		return 'b'
	case integrity:
		return 'i'
	case ciphering:
		return 'c'
	}
	return 'n'
}

// TestR08_UserPlaneMatrix: the result of all 9x9 pairs of user-plane policies.
func TestR08_UserPlaneMatrix(t *testing.T) {
	checkMatrix(t, userPlaneMatrix, func(own, peer policy.Protection) byte {
		return letter(policy.ResolveUserPlane(own, peer))
	})
}

var (
	everyCipher    = []nea.Ciphering{nea.NEA0, nea.NEA1, nea.NEA2, nea.NEA3}
	everyIntegrity = []nea.Integrity{nea.NIA0, nea.NIA1, nea.NIA2, nea.NIA3}
)

// signalling gives the outcome of a pair at a responder to whom everything in an offer was made.
func signalling(allowNull bool, o policy.Offer) func(own, peer policy.Protection) byte {
	return func(own, peer policy.Protection) byte {
		s := policy.DefaultSignalling()
		s.Protection, s.AllowNull = own, allowNull
		c, i, err := policy.ChooseSignalling(s, o, peer)
		return letter(i != nea.NIA0, c != nea.NEA0, err)
	}
}

// TestR10_R11_T02_SignallingMatrix: the result of all 9x9 pairs of signalling policies. Without
// the consent of this end or the offer of the other, null integrity is a mismatch wherever the
// words would lead to it.
func TestR10_R11_T02_SignallingMatrix(t *testing.T) {
	everything, noNull := offer(everyCipher, everyIntegrity), offer(everyCipher, everyIntegrity[1:])
	checkMatrix(t, signallingMatrix, signalling(false, everything))
	checkMatrix(t, signallingMatrix, signalling(false, noNull))
	checkMatrix(t, signallingMatrix, signalling(true, noNull))
	checkMatrix(t, signallingNullMatrix, signalling(true, everything))
}

// TestR10_T02_IntegrityTable is the 3x3 table of integrity alone, with and without consent, where
// both ends leave ciphering open.
func TestR10_T02_IntegrityTable(t *testing.T) {
	for _, test := range []struct {
		own, peer      policy.Requirement
		plain, consent byte
	}{
		{need, need, 'b', 'b'}, {need, like, 'b', 'b'}, {need, none, '.', '.'},
		{like, need, 'b', 'b'}, {like, like, 'b', 'b'}, {like, none, '.', 'n'},
		{none, need, '.', '.'}, {none, like, '.', 'n'}, {none, none, '.', 'n'},
	} {
		own, peer := policy.Protection{Integrity: test.own, Ciphering: like}, policy.Protection{Integrity: test.peer, Ciphering: like}
		everything := offer(everyCipher, everyIntegrity)
		if got := signalling(false, everything)(own, peer); got != test.plain {
			t.Errorf("own %s, peer %s: %c, want %c", test.own, test.peer, got, test.plain)
		}
		if got := signalling(true, everything)(own, peer); got != test.consent {
			t.Errorf("own %s, peer %s, allow_null: %c, want %c", test.own, test.peer, got, test.consent)
		}
	}
}

// TestR14_Priority: each order of the responder's list gives its own first choice, whatever else
// was offered; a list without anything in common is refused.
func TestR14_Priority(t *testing.T) {
	peer := policy.Protection{Integrity: need, Ciphering: need}
	choose := func(ciphers []nea.Ciphering, integrities []nea.Integrity, o policy.Offer) (nea.Ciphering, nea.Integrity, error) {
		return policy.ChooseSignalling(policy.Signalling{Protection: peer, Ciphers: ciphers, Integrities: integrities}, o, peer)
	}
	for _, order := range [][]int{{1, 2, 3}, {1, 3, 2}, {2, 1, 3}, {2, 3, 1}, {3, 1, 2}, {3, 2, 1}} {
		var ciphers []nea.Ciphering
		var integrities []nea.Integrity
		for _, n := range order {
			ciphers, integrities = append(ciphers, nea.Ciphering(n)), append(integrities, nea.Integrity(n))
		}
		for first := range order {
			// The peer offers everything from the first-th choice on.
			c, i, err := choose(ciphers, integrities, offer(ciphers[first:], integrities[first:]))
			if err != nil || c != ciphers[first] || i != integrities[first] {
				t.Errorf("order %v, offered from its place %d on: %s and %s, %v", order, first, c, i, err)
			}
		}
	}
	_, _, err := choose(everyCipher[:2], everyIntegrity[1:], offer(everyCipher[2:], everyIntegrity))
	wantMismatch(t, err, "signalling ciphering")
	_, _, err = choose(everyCipher, everyIntegrity[1:2], offer(everyCipher, everyIntegrity[2:]))
	wantMismatch(t, err, "signalling integrity")
}

// TestT04_ChosenIsOfferedByOwnOrder: for any lists, words and offer, what is chosen was offered,
// and nothing that was offered and is not null stands before it in this end's list.
func TestT04_ChosenIsOfferedByOwnOrder(t *testing.T) {
	word := rapid.SampledFrom([]policy.Requirement{need, like, none})
	protection := rapid.Custom(func(t *rapid.T) policy.Protection {
		return policy.Protection{Integrity: word.Draw(t, "integrity"), Ciphering: word.Draw(t, "ciphering")}
	})
	rapid.Check(t, func(t *rapid.T) {
		own := policy.Signalling{
			Protection: protection.Draw(t, "own"), AllowNull: rapid.Bool().Draw(t, "allow null"),
			Ciphers:     rapid.Permutation(everyCipher).Draw(t, "ciphers")[:rapid.IntRange(0, 4).Draw(t, "number of ciphers")],
			Integrities: rapid.Permutation(everyIntegrity).Draw(t, "integrities")[:rapid.IntRange(0, 4).Draw(t, "number of integrities")],
		}
		ciphers := rapid.SliceOfDistinct(rapid.SampledFrom(everyCipher), rapid.ID[nea.Ciphering]).Draw(t, "offered ciphers")
		integrities := rapid.SliceOfDistinct(rapid.SampledFrom(everyIntegrity), rapid.ID[nea.Integrity]).Draw(t, "offered integrities")
		peer := protection.Draw(t, "peer")
		c, i, err := policy.ChooseSignalling(own, offer(ciphers, integrities), peer)
		if err != nil {
			return
		}
		checkChoice(t, c, nea.NEA0, own.Ciphers, ciphers)
		checkChoice(t, i, nea.NIA0, own.Integrities, integrities)
		if i == nea.NIA0 && !own.AllowNull {
			t.Fatal("null integrity without consent")
		}
	})
}

func checkChoice[A comparable](t *rapid.T, chosen, null A, own, offered []A) {
	if !slices.Contains(offered, chosen) {
		t.Fatalf("chose %v, offered were %v", chosen, offered)
	}
	if chosen == null {
		return
	}
	for _, a := range own {
		if a == chosen {
			return
		}
		if a != null && slices.Contains(offered, a) {
			t.Fatalf("chose %v before %v of the list %v", chosen, a, own)
		}
	}
	t.Fatalf("chose %v, which is not in the list %v", chosen, own)
}
