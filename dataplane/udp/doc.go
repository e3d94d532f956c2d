// Package udp is a UDP socket of the node, for both address families, in batches. Equal
// datagrams to one endpoint leave with one system call (UDP_SEGMENT) and arrive coalesced
// (UDP_GRO); where the kernel can not do that, sendmmsg and recvmmsg stand in.
//
// It does not look into datagrams and keeps no peers. What the kernel says about segment sizes
// is checked here (Message.Datagrams); what a datagram holds is judged by the callers.
//
//	Send(to, [dgram 0][dgram 1]...[dgram n], size)      all size octets, the last may be shorter
//	Receive -> Message{Data: [dgram 0]...[dgram n], Segment: size, From}
//
// Any goroutine may call Send; one goroutine calls Receive; Close ends both.
package udp
