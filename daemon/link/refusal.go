package link

import (
	"fmt"
	"strings"

	"pc5d/policy"
)

// Refusal is the reason why this end refused a peer's credentials. It stays here: the peer learns a
// TLS alert and no more.
type Refusal uint8

const (
	RefusedProtocol          Refusal = iota + 1 // another version or application protocol
	RefusedFlight                               // more octets than one direction may have (T17)
	RefusedChain                                // too many certificates, or one too large (T17)
	RefusedName                                 // not exactly one name, in its one spelling (T08)
	RefusedOwnIdentity                          // this end's own name or key (T07)
	RefusedOtherName                            // not who was called
	RefusedNotProvisioned                       // no link to that name
	RefusedPin                                  // not the pinned key
	RefusedDenied                               // a key of the deny list
	RefusedKeyType                              // neither Ed25519 nor ECDSA P-256
	RefusedNotYetValid                          // a certificate begins later
	RefusedExpired                              // a certificate has ended
	RefusedUnknownAuthority                     // no provisioned CA issued the chain
	RefusedBrokenChain                          // a certificate was not signed by the next one
	RefusedNoAuthority                          // an issuer is no CA, or may not sign certificates
	RefusedPathLength                           // an issuer has more CAs below it than it may
	RefusedKeyUsage                             // the peer's certificate is for something else
	RefusedExtendedKeyUsage                     // for another part in a handshake
	RefusedNameConstraints                      // an issuer may not speak for that name
	RefusedExtension                            // critical, and unknown here
	RefusedRevoked                              // on a list of its issuer
	RefusedNoRevocationList                     // lists are wanted, and its issuer has none
	RefusedOldRevocationList                    // the issuer's list should have been replaced
	RefusedNeverShown                           // nothing is known that could be judged again
)

var refusalNames = [...]string{
	RefusedProtocol: "wrong_protocol", RefusedFlight: "flight_too_large", RefusedChain: "chain_too_large", RefusedName: "bad_name",
	RefusedOwnIdentity: "own_identity", RefusedOtherName: "other_name", RefusedNotProvisioned: "not_provisioned", RefusedPin: "wrong_pin",
	RefusedDenied: "denied_key", RefusedKeyType: "wrong_key_type", RefusedNotYetValid: "not_yet_valid", RefusedExpired: "expired",
	RefusedUnknownAuthority: "unknown_authority", RefusedBrokenChain: "broken_chain", RefusedNoAuthority: "no_authority",
	RefusedPathLength: "path_length", RefusedKeyUsage: "key_usage", RefusedExtendedKeyUsage: "extended_key_usage",
	RefusedNameConstraints: "name_constraints", RefusedExtension: "critical_extension", RefusedRevoked: "revoked",
	RefusedNoRevocationList: "no_revocation_list", RefusedOldRevocationList: "old_revocation_list", RefusedNeverShown: "never_shown",
}

// String gives the word for logs and tests.
func (r Refusal) String() string {
	if int(r) < len(refusalNames) && refusalNames[r] != "" {
		return refusalNames[r]
	}
	return fmt.Sprintf("refusal_%d", uint8(r))
}

// RefusedError says that this end refused the peer's credentials.
type RefusedError struct {
	Peer      string
	Trust     policy.Trust
	Expected  []policy.Fingerprint // where Trust is by pin
	Presented policy.Fingerprint
	Refusal   Refusal
	Reason    string // the same for people, with how to mend it
}

func (e *RefusedError) Error() string {
	if e.Trust == policy.TrustCA {
		return fmt.Sprintf("peer %q refused: %s: presented key %s", e.Peer, e.Reason, e.Presented)
	}
	expected := make([]string, len(e.Expected))
	for i, fp := range e.Expected {
		expected[i] = fp.String()
	}
	if len(expected) == 0 {
		expected = []string{"no key"}
	}
	return fmt.Sprintf("peer %q refused: %s: expected %s, presented %s", e.Peer, e.Reason, strings.Join(expected, " or "), e.Presented)
}
