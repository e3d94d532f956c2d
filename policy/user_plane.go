package policy

import "pc5d/dataplane/suite"

// UserPlane is one end's policy for the user data of a link.
type UserPlane struct {
	Protection
	Suites []suite.ID // in order of preference; none: those of the processor (On)
	Form   Form

	AllowUnprotected bool // the operator's written consent to user data without integrity (T56)
}

// DefaultUserPlane is what a link gets without a word of the operator.
func DefaultUserPlane() UserPlane {
	return UserPlane{
		Protection: Protection{Integrity: Required, Ciphering: Required},
		Form:       FormRecord,
	}
}

// On is the policy on a machine with this processor: it names suites where the operator did not.
func (u UserPlane) On(p Processor) UserPlane {
	if len(u.Suites) == 0 {
		u.Suites = p.Suites()
	}
	return u
}

// Offered are the suites that an initiator offers: none where it takes the standard form only.
func (u UserPlane) Offered() []suite.ID {
	if u.Form == FormPDCP {
		return nil
	}
	return u.Suites
}

// Permit refuses what needs the operator's consent: without integrity anybody on the way can alter
// and repeat packets, ciphered or not (T56). An error is a *Mismatch.
func (u UserPlane) Permit(integrity bool) error {
	if integrity || u.AllowUnprotected {
		return nil
	}
	return &Mismatch{Subject: "user-plane integrity", Reason: "it would be off, which this end does not allow: set it to required or preferred at both ends"}
}

// ChooseSuite is the responder's choice of the record form: its own first suite that the peer
// offered, or suite.None where the standard form serves. An error is a *Mismatch.
//
// Extension: the record form and its negotiation are ours.
func ChooseSuite(own UserPlane, offers func(suite.ID) bool) (suite.ID, error) {
	if own.Form == FormPDCP {
		return suite.None, nil
	}
	if s := firstOffered(own.Suites, suite.None, offers); s != suite.None {
		return s, nil
	}
	if own.Form == FormAny {
		return suite.None, nil
	}
	return suite.None, &Mismatch{Subject: "user-plane suite", Reason: "the peer offered none of this end's, compare the algorithms lists"}
}

// ResolveUserPlane compares the two ends' words when security mode complete arrives; its result
// is the configuration in the accept (TS 24.554, 7.2.2.3; table recalled). An error is a
// *Mismatch.
func ResolveUserPlane(own, peer Protection) (integrity, ciphering bool, err error) {
	return resolveUserPlane(own, peer, true)
}

// ResolveUserPlaneWithoutCipher is the same where no algorithm would cipher user data: the standard form
// with NEA0 selected.
func ResolveUserPlaneWithoutCipher(own, peer Protection) (integrity, ciphering bool, err error) {
	return resolveUserPlane(own, peer, false)
}

func resolveUserPlane(own, peer Protection, cipher bool) (integrity, ciphering bool, err error) {
	integrity, ok := Resolve(own.Integrity, peer.Integrity, true)
	if !ok {
		return false, false, mismatch("user-plane integrity", own.Integrity, peer.Integrity, "")
	}
	ciphering, ok = Resolve(own.Ciphering, peer.Ciphering, cipher)
	if !ok {
		why := ""
		if !cipher {
			why = "the standard form has the ciphering of signalling, which is off"
		}
		return false, false, mismatch("user-plane ciphering", own.Ciphering, peer.Ciphering, why)
	}
	return integrity, ciphering, nil
}
