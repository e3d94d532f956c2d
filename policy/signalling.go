package policy

import "pc5d/dataplane/nea"

// Signalling is one end's policy for the signalling of a link. Ciphers and Integrities are in
// order of preference; the null algorithms are used only where the words resolve to "off",
// wherever they stand in the lists.
type Signalling struct {
	Protection
	AllowNull   bool // the operator's written consent to signalling without integrity (T02)
	Ciphers     []nea.Ciphering
	Integrities []nea.Integrity
}

// DefaultSignalling is what a link gets without a word of the operator. AES alone is offered: any
// peer has to have it, so that another algorithm would only be one more that may break, or be talked
// into.
func DefaultSignalling() Signalling {
	return Signalling{
		Protection:  Protection{Integrity: Required, Ciphering: Preferred},
		Ciphers:     []nea.Ciphering{nea.NEA2, nea.NEA0},
		Integrities: []nea.Integrity{nea.NIA2},
	}
}

// Offer asks what the peer's capabilities contain.
type Offer struct {
	Ciphering func(nea.Ciphering) bool
	Integrity func(nea.Integrity) bool
}

// ChooseSignalling is the responder's choice: its own first algorithm that the peer offered, or
// null where the words resolve to "off" (TS 33.536, 5.3.3.1.4.3 step 2). What it returns was
// always offered. An error is a *Mismatch.
func ChooseSignalling(own Signalling, offer Offer, peer Protection) (nea.Ciphering, nea.Integrity, error) {
	integrity, err := chooseIntegrity(own, offer, peer)
	if err != nil {
		return nea.NEA0, nea.NIA0, err
	}
	ciphering, err := chooseCiphering(own, offer, peer, integrity)
	if err != nil {
		return nea.NEA0, nea.NIA0, err
	}
	return ciphering, integrity, nil
}

func chooseIntegrity(own Signalling, offer Offer, peer Protection) (nea.Integrity, error) {
	refuse := func(why string) (nea.Integrity, error) {
		return nea.NIA0, mismatch("signalling integrity", own.Integrity, peer.Integrity, why)
	}
	best := firstOffered(own.Integrities, nea.NIA0, offer.Integrity)
	on, ok := Resolve(own.Integrity, peer.Integrity, best != nea.NIA0)
	if !ok {
		return refuse("")
	}
	if on {
		return best, nil
	}
	// T02: null integrity needs the written word of this end and the offer of the other.
	if !own.AllowNull {
		return refuse("integrity would be off, which this end does not allow")
	}
	if !offer.Integrity(nea.NIA0) {
		return refuse("integrity would be off, but the peer did not offer null integrity")
	}
	return nea.NIA0, nil
}

func chooseCiphering(own Signalling, offer Offer, peer Protection, integrity nea.Integrity) (nea.Ciphering, error) {
	refuse := func(why string) (nea.Ciphering, error) {
		return nea.NEA0, mismatch("signalling ciphering", own.Ciphering, peer.Ciphering, why)
	}
	best := nea.NEA0
	if integrity != nea.NIA0 { // integrity off forces ciphering off
		best = firstOffered(own.Ciphers, nea.NEA0, offer.Ciphering)
	}
	on, ok := Resolve(own.Ciphering, peer.Ciphering, best != nea.NEA0)
	if !ok {
		return refuse("")
	}
	if on {
		return best, nil
	}
	if !offer.Ciphering(nea.NEA0) {
		return refuse("ciphering would be off, but the peer did not offer null ciphering")
	}
	return nea.NEA0, nil
}

// firstOffered gives the first of own that is not null and was offered, or null.
func firstOffered[A comparable](own []A, null A, offered func(A) bool) A {
	for _, a := range own {
		if a != null && offered(a) {
			return a
		}
	}
	return null
}
