package dataplane

// Drop is the reason why a packet or a datagram was dropped.
type Drop uint8

const (
	// On the way out.
	DropLinkDown   Drop = iota // no sending context
	DropTooBig                 // longer than the path takes
	DropKeyLimit               // the key has no COUNT or no block left
	DropSendFailed             // the socket refused the datagrams
	DropOwnFlow                // a datagram of a link that the host routed into a link
	DropQueueFull              // more waits than has room: its sender is to slow down; both ways
	// On the way in, before a tag verified.
	DropCut            // the buffer of the socket was cut
	DropMalformed      // no underlay header, too short for a record, or no PDU with an IP packet
	DropUnknownContext // nothing installed for these L2 IDs and this session
	DropReplayed       // COUNT taken before
	DropTooOld         // COUNT behind the replay window
	DropUnverified     // the tag does not verify
	DropRate           // too many before it, of the standard form, did not verify within this second
	// On the way in, from the authenticated peer; without integrity, from anybody.
	DropBadFrame      // a frame does not fit its record
	DropInnerSource   // inner source is not the peer's
	DropInnerSteering // a redirect or neighbour discovery: a peer does not route for us
	DropCongested     // marked by the network, and the sender of the packet does not know marks
	DropBadFragment   // parts of a packet contradict each other
	DropIncomplete    // parts of a packet did not come in time, or newer packets took their place
	DropEcho          // more ECHO frames than are answered, or too short ones
	// Both ways.
	DropInnerMalformed   // not a whole IPv4 or IPv6 packet
	DropInnerDestination // inner destination is not ours, or a group that no peer lets in
	DropDeviceFull       // the TUN takes nothing now
	DropDeviceFailed     // the TUN refused the packet or is gone

	dropCount
)

var dropNames = [dropCount]string{
	DropLinkDown: "link_down", DropTooBig: "too_big", DropKeyLimit: "key_limit", DropSendFailed: "send_failed", DropQueueFull: "queue_full",
	DropOwnFlow: "own_flow", DropCut: "cut", DropMalformed: "malformed", DropUnknownContext: "unknown_context", DropReplayed: "replayed",
	DropTooOld: "too_old", DropUnverified: "unverified", DropRate: "rate", DropBadFrame: "bad_frame", DropInnerMalformed: "inner_malformed",
	DropInnerSource: "inner_source", DropInnerDestination: "inner_destination", DropInnerSteering: "inner_steering", DropCongested: "congested",
	DropBadFragment: "bad_fragment", DropIncomplete: "incomplete", DropEcho: "echo", DropDeviceFull: "device_full",
	DropDeviceFailed: "device_failed",
}

func (d Drop) String() string {
	if d < dropCount {
		return dropNames[d]
	}
	return "unknown"
}
