package policy

import "fmt"

// Mismatch tells that the policies of two ends cannot both be met; the reject that follows has
// cause 12. It is nobody's fault: either end may change its provisioning.
type Mismatch struct {
	Subject string // "signalling integrity", "user-plane suite", ...
	Reason  string // why, and what to change
}

func (e *Mismatch) Error() string { return e.Subject + ": " + e.Reason }

// mismatch says which two words met and why they do not fit; an empty why asks Resolve's table.
func mismatch(subject string, own, peer Requirement, why string) *Mismatch {
	if why == "" {
		why = "set the same word at both ends"
		if _, ok := Resolve(own, peer, true); ok {
			why = "no algorithm is common to both ends, compare the algorithms lists"
		}
	}
	return &Mismatch{Subject: subject, Reason: fmt.Sprintf("%q here and %q at the peer: %s", own, peer, why)}
}
