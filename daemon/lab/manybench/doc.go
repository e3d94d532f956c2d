// Package manybench measures many links of two daemons in two private networks: one peer, and each link
// for another of its services.
//
//	created      from the start of the daemon until it answers: all interfaces are there and configured
//	established  from the first word to one end until all links are up at both
//	idle         processor time of each daemon, from the kernel's count in nanoseconds, over a window in
//	             which nothing but keep-alives happens
//	memory       what the larger daemon has resident, and half of what the kernel's own memory grew by
//	             since before both daemons, of /proc/meminfo
//
// It needs root, leaves nothing behind, and is not linked into the daemon. The kernel's memory is the whole
// machine's: nobody else should work meanwhile.
package manybench
