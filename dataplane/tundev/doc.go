// Package tundev is the interface of a link: a TUN device whose descriptor the engine polls,
// reads and writes itself, and the poller over all of them.
//
// An idle device costs one descriptor and nothing else: wireguard-go's tun.CreateTUN makes the
// interface, the descriptor is duplicated and the rest closed. The package sets no address and
// no route and does not look into packets.
//
// Each read gives one packet and each write takes one, behind a virtio-net header that says what is left
// to do (Header): a checksum, or the cutting of a TCP super-packet of up to 64 kB into segments. A Ring does several
// reads with one system call.
//
//	+-----------------------------+--------------------------------+
//	| struct virtio_net_hdr (10)  |  one whole IPv4 or IPv6 packet |
//	+-----------------------------+--------------------------------+
//
// Where the kernel has no virtio-net headers, or no super-packets, the header in front of a packet says that
// nothing is left to do, and a checksum is finished before the packet goes to the kernel (Offloads).
//
// Read and Write may be called by one goroutine each; Close only when neither is under way and
// the poller has forgotten the device. Add, Remove and Close of a Poller may be called by any
// goroutine, Wait by one.
package tundev
