// Package sim is a network of whole daemons on a virtual clock: the real nodes, runners,
// machines and engines, with interfaces and sockets in memory. One seed decides everything that
// happens, so a run that fails can be had again.
//
//	World ---- ready queues (whose turn it is: the seed) ---- tasks of nodes
//	  |   ---- events in time order --------------------- alarms, datagrams, faults
//	  |
//	  +-- Network: loss, duplication, delay, corruption, partitions; records every datagram
//	  +-- Host:    one machine; its daemon starts, stops, is killed, and starts again
//	  +-- Attacker: reads everything; replays, reflects, alters, injects
//	  +-- checks after every step (invariants I1 to I10), a trace with a hash
//
// Everything runs on the caller's goroutine. Randomness of the cryptography comes from the
// process-wide source, which a test seeds (testing/cryptotest), so runs of one process do not
// overlap.
package sim
