package udp

import "golang.org/x/sys/unix"

// probe makes the datagrams of the socket carry DF, and makes it deaf for what ICMP says about the path:
// the length of a datagram is the sender's affair, who finds it by probes (RFC 8899), and only the device
// that it leaves through refuses one: ErrTooLong. Where the kernel refuses an option, it cuts datagrams,
// or believes ICMP, as it always did.
func (s *Socket) probe() {
	_ = unix.SetsockoptInt(s.fd, unix.IPPROTO_IP, unix.IP_MTU_DISCOVER, unix.IP_PMTUDISC_PROBE) // also of an IPv6 socket: its IPv4
	if s.four {
		return
	}
	_ = unix.SetsockoptInt(s.fd, unix.IPPROTO_IPV6, unix.IPV6_MTU_DISCOVER, unix.IPV6_PMTUDISC_PROBE)
	_ = unix.SetsockoptInt(s.fd, unix.IPPROTO_IPV6, unix.IPV6_DONTFRAG, 1)
}
