package provision

import (
	"net/netip"
	"time"

	"pc5d/policy"
)

// DefaultPort is the UDP port of an address that names none (chosen).
const DefaultPort = 33536

// Provisioning is everything the files say, validated.
type Provisioning struct {
	Node  Node
	Links []Link // in the order of the files
	// Shadowed says of each learnt link that was left out with what of the operator's it clashes.
	Shadowed []string
}

// Node is this end.
type Node struct {
	Name        string // application layer ID, 1 to 128 octets of UTF-8
	Identity    string // path of the private key
	Certificate string // path of the certificates that were issued for it; "": self-signed
	Listen      netip.AddrPort
	Mark        uint32 // of the underlay's packets, and the table of default routes through links; 0: none
	KeptKeys    KeptKeys
	Gate        bool           // whoever does not know this node's fingerprint gets no answer
	Metrics     netip.AddrPort // where the metrics are served besides the control socket; not valid: nowhere
	Timers      Timers

	CA   []string             // paths of the certificates of CAs
	CRL  []string             // paths of revocation lists; none: nothing is asked about revocation
	Deny []policy.Fingerprint // keys that nobody may have
}

// Timers is what [node.timers] says about the request timers of TS 24.554, 12.
type Timers struct {
	Profile Profile
	First   map[string]time.Duration // by "t5080" and so on, only those that are given; nil: none
	Repeats int                      // repetitions of one message; 0: the profile's
}

// Link is one link to one peer for one service.
type Link struct {
	Name      string
	Peer      string // the peer's application layer ID
	Service   string
	Trust     policy.Trust
	Pin       policy.Fingerprint // where Trust is by pin
	PSK       string             // path of the pre-shared key, where Trust is by one
	Endpoint  netip.AddrPort     // not valid where the peer is to call
	Addresses []netip.Prefix     // of the interface, host bits kept
	Allowed   []netip.Prefix     // masked
	MTU       int
	CopyDSCP  bool // who sees the datagrams may know the class of what is in them

	Signalling policy.Signalling
	UserPlane  policy.UserPlane

	Authentication policy.Authenticate
	KeepAlive      time.Duration // T5084; 0: the profile's
	Inactivity     time.Duration // announced to the peer; 0: none
	Rekey          Rekey
	Privacy        Privacy

	Learnt bool // by the node itself, not written by the operator
}

// Rekey says when new keys are made, at the first limit reached.
type Rekey struct {
	Time    time.Duration // age of a key; 0: none given, the default of one hour
	Packets uint64        // 0: no limit of its own
	Bytes   uint64        // 0: no limit of its own
}

// Privacy says what an observer is not to see. Where any of it is on, the link's signalling
// ciphering is required.
type Privacy struct {
	Identity bool          // the establishment request carries a pseudonym instead of names
	Update   time.Duration // T5090, lifetime of the own layer-2 ID; 0: no end
	Port     bool          // a new local UDP port with each update; never without Update
}

// Interface is the name of the link's network interface.
func (l Link) Interface() string { return "pc5-" + l.Name }
