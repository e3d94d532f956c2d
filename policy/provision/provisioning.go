package provision

import (
	"net/netip"

	"pc5d/policy"
)

// DefaultPort is the UDP port of an address that names none (chosen).
const DefaultPort = 33536

// Provisioning is everything the files say, validated.
type Provisioning struct {
	Node  Node
	Links []Link // in the order of the files
}

// Node is this end.
type Node struct {
	Name     string // application layer ID, 1 to 128 octets of UTF-8
	Identity string // path of the private key
	Listen   netip.AddrPort
}

// Link is one link to one peer for one service.
type Link struct {
	Name      string
	Peer      string // the peer's application layer ID
	Service   string
	Pin       policy.Fingerprint
	Endpoint  netip.AddrPort // not valid where the peer is to call
	Addresses []netip.Prefix // of the interface, host bits kept
	Allowed   []netip.Prefix // masked
	MTU       int

	Signalling policy.Signalling
	UserPlane  policy.UserPlane
}

// Interface is the name of the link's network interface.
func (l Link) Interface() string { return "pc5-" + l.Name }
