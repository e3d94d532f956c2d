// Package linkbench measures a link of pc5d beside wireguard-go on this machine. Each tunnel has two
// private networks and a wire of its own; all are up at once and measured in turn, so that what the
// machine does meanwhile meets them alike:
//
//	round 1: TCP  A B   UDP  A B   ping  A B      A is pc5d, B wireguard-go,
//	round 2: TCP  A B   UDP  A B   ping  A B      and N, when there is one, pc5d without
//	...                                           cryptography: TCP  A B N
//
// A figure is compared round by round; what is reported is the median of these ratios.
//
//	TCP    iperf3, one stream, cubic, its first second left out; meanwhile echoes cross the link, and
//	       the processor time of both daemons and of the whole machine is counted
//	UDP    datagrams of 64 octets, as many as a sender can make, counted where they arrive
//	ping   echoes over a link that carries nothing else
//
// It needs root, /dev/net/tun, iperf3 and the Go tool chain in the tree of this module, and leaves
// nothing behind but the programs it has built. It is not linked into the daemon, and only one run
// may be under way on a machine.
package linkbench
