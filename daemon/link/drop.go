package link

// Drop is the reason why an input was dropped. The machine stays usable and unchanged.
type Drop uint8

const (
	DropMalformed    Drop = iota + 1 // not a datagram, PDU or message of ours
	DropNotForUs                     // another L2 ID or another sender than this link's
	DropForm                         // the form or bearer does not fit the message
	DropState                        // known, but does not fit the state or the role
	DropUnknownKey                   // no security context of that K_NRP-sess ID
	DropUnverified                   // MAC-I or tag wrong, or a COUNT seen before
	DropConversation                 // conversation tag, method or exchange number does not fit
	DropContainer                    // Key_Est_Info container malformed or over a limit
	DropCookie                       // too many new cookies in one attempt
	DropHint                         // unauthenticated refusal: recorded as a hint only
	DropRepeated                     // a repeated message that was answered already
	DropTarget                       // the request is for somebody else
	DropOwnRequest                   // our own request came back
	DropLimit                        // a COUNT or a key is used up, or no random octets are left
	DropRate                         // more than the peer, or a forger, may ask for
	DropCollision                    // it crosses a procedure of this end that goes first
	DropGate                         // a request that does not open the gate
	DropNoCookie                     // no cookie could be made: local, no random octets for a new secret
)

var dropNames = [...]string{
	DropMalformed: "malformed", DropNotForUs: "not_for_us", DropForm: "wrong_form", DropState: "wrong_state",
	DropUnknownKey: "unknown_key", DropUnverified: "unverified", DropConversation: "wrong_conversation",
	DropContainer: "bad_container", DropCookie: "too_many_cookies", DropHint: "unauthenticated_refusal",
	DropRepeated: "repeated", DropTarget: "other_target", DropOwnRequest: "own_request", DropLimit: "limit",
	DropRate: "rate", DropCollision: "collision", DropGate: "gate", DropNoCookie: "no_cookie",
}

func (d Drop) String() string {
	if int(d) < len(dropNames) && dropNames[d] != "" {
		return dropNames[d]
	}
	return "unknown"
}

// Error makes a Drop the error of Receive.
func (d Drop) Error() string { return "dropped: " + d.String() }
