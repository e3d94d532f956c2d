// Package provision is step 0: it turns the provisioning files into a validated Provisioning,
// or into every diagnostic at once.
//
// The files are strict TOML: an unknown key, a word that is not one of the known ones, or a
// clash between two links is an error at file:line:column with a hint. The same code checks,
// starts and reloads, and a file with an error changes nothing.
//
//	/etc/pc5/pc5d.toml             [node] and any number of [[link]]
//	/etc/pc5/links.d/*.toml        more [[link]], read in the order of their names
//
//	[node]
//	name     = "alice"             application layer ID, 1 to 128 octets
//	identity = "identity.pem"      private key; relative to the directory of this file
//	certificate = "node.crt"       optional: issued for the identity, leaf first
//	ca       = ["fleet.crt"]       who may speak for links with trust = "ca"
//	crl      = ["fleet.crl"]       their revocation lists
//	deny     = ["SHA256:..."]      keys that nobody may have
//	listen   = "[::]:33536"        default
//	fwmark   = 0x5043              default: none; of the underlay's packets
//	kept_keys = "memory"           default; or "file", "none"
//
//	[node.timers]
//	profile = "ip"                 default
//	t5080   = "300ms"              first waiting time; so are the other request timers
//	repeats = 8                    default: the profile's
//
//	[[link]]
//	name      = "bob"              the interface is pc5-bob
//	peer      = "bob"              the peer's node.name; default: name
//	service   = "ip"               default
//	trust     = "pin"              default; or "ca": a certificate of node.ca; or "first-use"; without a pin
//	pin       = "SHA256:..."       fingerprint of the peer's public key
//	endpoint  = "192.0.2.1:33536"  optional; the port is optional too
//	addresses = ["10.7.0.1/24"]    of the interface
//	allowed   = ["10.7.0.0/24"]    prefixes behind the peer
//	mtu       = 1396               default
//	copy_dscp = false              default: the traffic class of packets stays inside
//	authentication = "when-needed" default; or "always": no kept key serves
//	keepalive = "1m"               default: the profile's
//	inactivity = "10m"             announced to the peer; default: none
//
//	[link.signalling]
//	integrity  = "required"        default
//	ciphering  = "preferred"       default
//	algorithms = ["nea2", "nia2"]  default, in order of preference; also 1 and 3
//	allow_null = false             default
//
//	[link.user_plane]
//	integrity  = "required"        default
//	ciphering  = "required"        default
//	algorithms = ["aes-128-gcm"]   in order of preference; default: all, by the processor
//	form       = "record"          default; or "any", "pdcp"
//	allow_unprotected = false      default: consent to user data without integrity
//
//	[link.rekey]
//	time    = "1h"                 default
//	packets = 1000000              default: no limit of its own
//	bytes   = "10GB"               default: no limit of its own
//
//	[link.privacy]                 each needs signalling.ciphering = "required"
//	identity = false               default
//	update   = "5m"                default: none
//	port     = false               default; needs update
//
// Bounds and meanings: docs/provisioning.md.
//
// What it does not do: it neither opens the identity, nor resolves host names, nor touches the
// system. Lines and columns count from 1, columns in octets.
//
// All functions may be called by any goroutine; a Provisioning belongs to the caller.
package provision
