// Package authbench measures what authentication costs on this processor, with the machines, the
// admission, the handshakes and the store of kept keys that the daemon has, in one process:
//
//	full      A and B, from the establishment request over the cookie to ESTABLISHED at both
//	bare      a client and a server of crypto/tls alone: same keys, group, version and mutual
//	resumed   B alone, from a request that proves a kept key to ESTABLISHED
//	half open memory of one responder that has answered the client's first flight
//
// Full and bare are measured in turn, A B A B, and compared pair by pair: the machine may be
// noisy, and its clock may change. The measure is the processor time of the whole process, user and
// system, so that helper goroutines and the collector of garbage count; wall-clock time does not.
// Meanwhile the process has one P (GOMAXPROCS 1), so that no idle processor spins and is counted.
//
// There is no network and no TUN here, and nothing of package daemon: neither its limits of strangers
// nor its goroutines. Only one Run may be under way in a process. The daemon does not link it.
package authbench
