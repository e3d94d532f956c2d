// Package dataplane is the Engine: packets of all links between their TUN devices and the one
// UDP socket of the node, protected by the key contexts that the control plane installs.
//
// It makes no link, no key and no interface, does not know the peers' names and reads no
// signalling: what is not a user-plane record of the record form goes to Config.Signalling.
//
//	transmit: wait for any TUN -> read it empty -> PACKET frames -> records
//	          -> reserve COUNTs -> seal batch -> one UDP send
//	receive:  UDP batch -> (destination, source, session) -> window check -> open batch
//	          -> window commit -> frames -> inner filter -> TUN write
//
// The octets are those of packages underlay and record. Each direction is one goroutine that
// runs a packet to completion; an idle link costs none. Nothing is allocated per packet.
//
// All methods of Engine and Link may be called by any goroutine, but not from inside
// Config.Signalling. Contexts are published by copying: the workers read them without a lock,
// and what was withdrawn is wiped once both workers have left it.
package dataplane
