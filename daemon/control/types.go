package control

import (
	"context"
	"errors"
	"net/netip"
	"time"
)

// Service is what the API serves.
type Service interface {
	Status(ctx context.Context) (Status, error)
	// Up waits until the link is established, has failed, or ctx ends.
	Up(ctx context.Context, link string) (LinkStatus, error)
	Down(ctx context.Context, link string) (LinkStatus, error)
	// Rekey makes new keys for an established link and waits for them.
	Rekey(ctx context.Context, link string) (LinkStatus, error)
	// Update makes new keys and new identifiers and waits for them.
	Update(ctx context.Context, link string) (LinkStatus, error)
	// Invite makes an invite and gives its token, which is a secret.
	Invite(ctx context.Context, r InviteRequest) (Invite, error)
	// Revoke ends an open invite.
	Revoke(ctx context.Context, link string) error
	// Join takes an invite of another node up, and waits as Up does. No link name: one is made of
	// the inviter's.
	Join(ctx context.Context, token, link string) (LinkStatus, error)
	// Unpair forgets for good what the node has learnt: a link, or the pin of a first use.
	Unpair(ctx context.Context, link string) error
	// Forget ends the kept keys of a peer, "" all, and counts them.
	Forget(ctx context.Context, peer string) (int, error)
	// Reload reads CAs, revocation lists and denied keys anew, and ends what they no longer admit.
	Reload(ctx context.Context) (Reloaded, error)
	// Solicit asks everybody at an address, and returns when ctx ends.
	Solicit(ctx context.Context, to netip.AddrPort, service string) (Status, error)
}

var (
	// ErrNoLink says that no such link is provisioned.
	ErrNoLink = errors.New("no such link")
	// ErrStopping says that the daemon is ending.
	ErrStopping = errors.New("pc5d is stopping")
	// ErrNotEstablished says that the link is not up.
	ErrNotEstablished = errors.New("the link is not established: pc5ctl up LINK")
	// ErrTooSlow says that the wait is over and the work goes on.
	ErrTooSlow = errors.New("not finished in the time to wait; it goes on")
)

// Status is the state of a daemon.
type Status struct {
	Version string            `json:"version"`
	Node    Node              `json:"node"`
	Links   []LinkStatus      `json:"links"`
	Invites []OpenInvite      `json:"invites"` // that nobody has used yet
	Drops   map[string]uint64 `json:"drops"`   // datagrams that are no packet of a link's, by reason

	Strangers Strangers `json:"strangers"`
	KeptKeys  int       `json:"kept_keys"` // for the next establishment with their peers
}

// Strangers counts requests of those who are not known yet.
type Strangers struct {
	Cookies  uint64 `json:"cookies"`   // answered by a cookie, without state
	Admitted uint64 `json:"admitted"`  // that proved an address or a key, and got a machine
	Evicted  uint64 `json:"evicted"`   // of them, ended by a newer one of the same source
	HalfOpen int    `json:"half_open"` // unfinished now
}

// Node is the daemon's own identity.
type Node struct {
	Name        string `json:"name"`
	Fingerprint string `json:"fingerprint"`
	Listen      string `json:"listen"`

	Offloads NodeOffloads `json:"offloads"`
	// CertificateEnd tells until when peers admit the certificate that a CA issued for the node.
	CertificateEnd time.Time `json:"certificate_end,omitzero"`
}

// NodeOffloads are what the kernel does for all sockets and interfaces of the node, now. What it does not do
// the daemon does with more system calls.
type NodeOffloads struct {
	Segment  bool `json:"udp_segment"` // cuts one send into datagrams; else sendmmsg
	Coalesce bool `json:"udp_gro"`     // hands over several datagrams as one; else recvmmsg
	Ring     bool `json:"io_uring"`    // gives several packets of an interface at once; else one by one
}

// LinkOffloads are what the kernel does for a link's interface, now.
type LinkOffloads struct {
	Header   bool `json:"tun_vnet"`      // leaves checksums and cutting to the other end; else plain packets
	TCP      bool `json:"tun_tso"`       // gives TCP in super-packets; else segment by segment
	UDP      bool `json:"tun_uso"`       // gives the datagrams of one send as one; else one by one
	TakesTCP bool `json:"tun_write_tcp"` // takes TCP in super-packets; else the daemon cuts them
	TakesUDP bool `json:"tun_write_udp"` // takes the datagrams of one flow as one; else the daemon cuts them
}

// LinkStatus is the state of a link.
type LinkStatus struct {
	Name      string         `json:"name"`
	Interface string         `json:"interface"`
	Peer      string         `json:"peer"`
	Service   string         `json:"service"`
	Trust     string         `json:"trust"`           // pin, ca, psk, first-use
	Pin       string         `json:"pin,omitempty"`   // the peer's key; none: not pinned yet, or not by a pin
	Pinned    time.Time      `json:"pinned,omitzero"` // when, at a first use
	Addresses []netip.Prefix `json:"addresses"`       // of the interface
	Allowed   []netip.Prefix `json:"allowed"`         // behind the peer
	Learnt    bool           `json:"learnt"`          // by the node itself, not written in the provisioning
	State     string         `json:"state"`           // down, establishing, waiting, established, failed
	Role      string         `json:"role,omitempty"`
	Endpoint  string         `json:"endpoint,omitempty"`
	Since     time.Time      `json:"since,omitzero"`
	// CertificateEnd tells until when the peer is admitted that authenticated last; by a CA only.
	CertificateEnd time.Time         `json:"certificate_end,omitzero"`
	Authentication *Authentication   `json:"authentication,omitempty"` // only while established
	Protection     *Protection       `json:"protection,omitempty"`     // the same
	Path           *Path             `json:"path,omitempty"`           // the same
	Keys           time.Time         `json:"keys,omitzero"`            // when the present keys were made
	Rekeyings      uint64            `json:"rekeyings"`                // since the daemon's start
	Updates        uint64            `json:"updates"`                  // of identifiers, since then
	Establishments Establishments    `json:"establishments"`           // since then
	LastError      string            `json:"last_error,omitempty"`
	Hint           string            `json:"hint,omitempty"` // unauthenticated: what a peer seems to say
	RxPackets      uint64            `json:"rx_packets"`
	TxPackets      uint64            `json:"tx_packets"`
	RxOctets       uint64            `json:"rx_octets"`
	TxOctets       uint64            `json:"tx_octets"`
	RxRecords      uint64            `json:"rx_records"` // or PDUs of the standard form
	TxRecords      uint64            `json:"tx_records"`
	Offloads       LinkOffloads      `json:"offloads"`
	Drops          map[string]uint64 `json:"drops"`
	Messages       []Message         `json:"messages"` // the last ones, oldest first
}

// Establishments counts sessions of a link by what the peer showed, and attempts that failed.
type Establishments struct {
	Certificate  uint64 `json:"certificate"` // a full authentication
	KeptKey      uint64 `json:"kept_key"`
	PreSharedKey uint64 `json:"pre_shared_key"`
	Failed       uint64 `json:"failed"`
}

// Authentication is how the peer showed who it is.
type Authentication struct {
	Proof string    `json:"proof"` // certificate, kept-key, pre-shared-key
	Key   string    `json:"key"`   // its fingerprint
	Full  time.Time `json:"full"`  // last full authentication
}

// Protection is what was negotiated.
type Protection struct {
	Signalling Signalling `json:"signalling"`
	UserPlane  UserPlane  `json:"user_plane"`
}

// Path is what the way to the peer takes.
type Path struct {
	MTU       int  `json:"mtu"`       // of the longest IP packets that user data leaves in
	Content   int  `json:"content"`   // of the record in them
	Searching bool `json:"searching"` // it may be more, soon
}

// Signalling is the protection of PC5-S.
type Signalling struct {
	Integrity string `json:"integrity"`
	Ciphering string `json:"ciphering"`
	Form      string `json:"form"` // of SL-SRB2
}

// UserPlane is the protection of packets.
type UserPlane struct {
	Integrity bool   `json:"integrity"`
	Ciphering bool   `json:"ciphering"`
	Form      string `json:"form"`  // record, pdcp
	Suite     string `json:"suite"` // of records; none where pdcp has the algorithms of signalling
	TagBits   int    `json:"tag_bits"`
	Insecure  bool   `json:"insecure"` // packets can be altered and repeated on the way
}

// Message is one PC5-S message that was sent, or received and accepted.
type Message struct {
	Time       time.Time `json:"time"`
	Direction  string    `json:"direction"` // sent, received
	Name       string    `json:"name"`
	Bearer     string    `json:"bearer"`
	Protection string    `json:"protection"`
	Octets     int       `json:"octets"`
}

// Forgotten counts kept keys that were ended.
type Forgotten struct {
	Keys int `json:"keys"`
}

// Reloaded counts what a reload ended at once; links are released on their way.
type Reloaded struct {
	Keys int `json:"keys"` // kept ones
}

// InviteRequest says what an invite is for.
type InviteRequest struct {
	Link      string         `json:"link"`           // that the joiner will get
	Peer      string         `json:"peer,omitempty"` // who alone may join; "": anybody who has no link yet
	Endpoint  netip.AddrPort `json:"endpoint"`       // where the joiner reaches this node
	Expires   string         `json:"expires"`        // a duration
	Addresses []netip.Addr   `json:"addresses,omitempty"`
	Allowed   []netip.Addr   `json:"allowed,omitempty"` // of the joiner; neither: chosen
}

// Invite is a new invite. Whoever has the token can join once.
type Invite struct {
	Link      string    `json:"link"`
	Token     string    `json:"token"`
	Expires   time.Time `json:"expires"`
	Endpoint  string    `json:"endpoint"`
	Addresses []string  `json:"addresses"`
	Allowed   []string  `json:"allowed"`
}

// OpenInvite is an invite that nobody has used yet, without its secret.
type OpenInvite struct {
	Link    string    `json:"link"`
	Peer    string    `json:"peer,omitempty"`
	Expires time.Time `json:"expires"`
}

// JoinRequest brings a token.
type JoinRequest struct {
	Token string `json:"token"`
	Link  string `json:"link,omitempty"`
}

// Removed names a link that is no more.
type Removed struct {
	Link string `json:"link"`
}

// Problem is the body of an error.
type Problem struct {
	Error string `json:"error"`
}
