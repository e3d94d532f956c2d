package link

import (
	"net/netip"
	"time"

	"pc5d/daemon/keys"
	"pc5d/daemon/pc5s"
	"pc5d/dataplane/nea"
	"pc5d/dataplane/suite"
	"pc5d/dataplane/underlay"
)

// Effect is something that the owner of a Machine has to do. Effects are applied in the order
// in which Next returns them: keys are installed before the event that announces the link.
type Effect interface{ effect() }

// Send asks for one datagram to be sent.
type Send struct {
	To       netip.AddrPort
	Datagram []byte // owned by the receiver of the effect
}

// Exchanged records one PC5-S message for people: it was sent, or received and accepted.
type Exchanged struct {
	Sent       bool
	Message    pc5s.MessageType
	Bearer     underlay.LCID
	Protection string // "none", "nia2", "nia2+nea2", "aes-128-gcm record"
	Octets     int    // of the UDP payload
}

// StateChanged announces a new state; there is exactly one for each change.
type StateChanged struct{ From, To State }

// Authenticated says who the peer is and which link is being made. A responder of psk-dhe has only seen
// a request that proved the key by then, which somebody may have held back: it has met nobody yet.
type Authenticated struct {
	Peer           Peer
	Proof          Proof
	Link           Link
	CertificateEnd time.Time // of the peer; zero: none
}

// InstallUserPlane hands out user-plane keys; they receive from now on and send once activated.
// The receiver owns and wipes them.
type InstallUserPlane struct {
	Name
	Link          Link
	Endpoint      netip.AddrPort
	PeerLinkLocal netip.Addr
	Suite         suite.ID       // none: the standard form
	Mode          suite.Mode     // the flags of the accept
	Send, Receive keys.RecordKey // of records
	Agreement     Agreement

	// Of the standard form; the algorithms are the agreement's.
	NRPEK     keys.NRPEK
	NRPIK     keys.NRPIK
	Direction uint8 // DIRECTION of this end's sending
}

// Wipe forgets the keys.
func (e *InstallUserPlane) Wipe() {
	e.Send.Wipe()
	e.Receive.Wipe()
	e.NRPEK.Wipe()
	e.NRPIK.Wipe()
}

// ActivateUserPlane makes installed keys the sending ones.
type ActivateUserPlane struct{ Name }

// RemoveUserPlane withdraws the keys of a context, by any of its names.
type RemoveUserPlane struct{ Name }

// AddName lets the keys of a context receive under one more name.
type AddName struct{ Of, Name Name }

// UseName lets the keys of a context send under its new name, after Skip unused COUNTs. The
// owner may send from another local port from now on.
type UseName struct {
	From, To Name
	Skip     uint64
	Endpoint netip.AddrPort // where the peer is
}

// DropName ends receiving under a name and gives its local L2 ID back. Peer and Session are zero
// where the name was only reserved.
type DropName struct{ Name }

// PeerMoved sends the user plane to another address of the peer.
type PeerMoved struct {
	Name
	From, Endpoint netip.AddrPort
	Roamed         bool // under the same identifiers
}

// Agreed announces that both ends have keys: of a new link, or of a re-keying.
type Agreed struct {
	Agreement     Agreement
	Endpoint      netip.AddrPort
	Rekeying      bool
	Authenticated time.Time // last full authentication of the peer
}

// Concluded announces the end of a procedure inside ESTABLISHED; Err is nil where it succeeded.
type Concluded struct {
	Procedure Procedure
	Err       error
}

// WatchTraffic asks for one call of Stirred, when the next packet is sent.
type WatchTraffic struct{}

// WatchPath asks for one call of Elsewhere, when the next record comes from another address.
type WatchPath struct{}

// Agreement is what both ends agreed on; it holds no secret.
type Agreement struct {
	Proof                Proof
	A, B                 Peer
	RequestHash          [32]byte
	Session              keys.SessionID
	LayerTwoA, LayerTwoB underlay.LayerTwoID
	Ciphering            nea.Ciphering
	Integrity            nea.Integrity
	Suite                suite.ID
	UserPlane            pc5s.UserPlaneConfiguration
	SignallingRequest    pc5s.SecurityPolicy // A's, as echoed
	UserPlaneRequest     pc5s.SecurityPolicy // A's, from the security mode complete
}

// Hint tells of an unauthenticated refusal. It changes nothing.
type Hint struct{ Err error }

func (Send) effect()              {}
func (Exchanged) effect()         {}
func (StateChanged) effect()      {}
func (Authenticated) effect()     {}
func (InstallUserPlane) effect()  {}
func (ActivateUserPlane) effect() {}
func (RemoveUserPlane) effect()   {}
func (AddName) effect()           {}
func (UseName) effect()           {}
func (DropName) effect()          {}
func (PeerMoved) effect()         {}
func (Agreed) effect()            {}
func (Concluded) effect()         {}
func (WatchTraffic) effect()      {}
func (WatchPath) effect()         {}
func (Hint) effect()              {}
