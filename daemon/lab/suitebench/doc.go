// Package suitebench measures the protection suites of records on this processor: each suite in each of its
// modes, sealing and opening batches as long as those of the data plane, with records that lie in memory as
// theirs do. Nothing else of the data plane is in it: no device, no socket, no key derivation. It needs no
// root, and one goroutine measures; nobody else should work meanwhile.
package suitebench
