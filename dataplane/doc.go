// Package dataplane is the Engine: packets of all links between their TUN devices and the UDP
// sockets of the node, protected by the key contexts that the control plane installs.
//
// It makes no link, no key and no interface, does not know the peers' names and reads no signalling:
// what is not user data goes to Config.Signalling. It asks for the time where something is bounded
// by it, and waits for none.
//
//	transmit: wait for any TUN -> read it empty -> PACKET frames -> records, or the slices of a
//	          super-packet, each a SEGMENT frame in a record -> reserve COUNTs -> seal -> one UDP send
//	receive:  UDP batch -> (destination, source, session) -> window check -> open batch
//	          -> window commit -> frames -> inner filter -> slices, and datagrams of one flow, put
//	          together -> one TUN write
//
// In the standard form a packet is a PDU: super-packets are cut and checksums finished before, COUNTs are
// found from SNs behind the lookup, and each packet is written by itself.
//
// The octets are those of packages underlay, record and pdcp. One goroutine sends and one receives at
// each socket (Port); each runs a packet to completion, and an idle link costs none. Nothing is
// allocated per packet.
//
// A context has one name, or two during an identifier update:
//
//	Install      Alias         Move          Unalias
//	---- old ----+---- old ----+---- old ----+            opens
//	             +---- new ----+---- new ----+---- new --
//	==== old ================= + ==== new ===============  sends, from Activate on
//
// Its keys, COUNTs and window stay what they are: the window is used by one receiving worker at a
// time, and a COUNT is taken together with the name that it is sent under.
//
// All methods of Engine and Link may be called by any goroutine, but not from inside the functions
// of Config. Contexts are published by copying: the workers look them up without a lock, and what
// was withdrawn is wiped once every worker has left it.
package dataplane
