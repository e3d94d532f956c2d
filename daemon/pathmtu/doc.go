// Package pathmtu finds how long the records of a link may be, by probes of its own (RFC 8899, for which
// it is a packetization layer). Time is an input; it sends nothing and knows no socket.
//
//	         Begin                 all failed, or one answered
//	+------+      +------------+ ------------------------------> +---------+
//	| none | ---> | searching, |                                 | settled | <--+ answered
//	+------+      | at base    | <----- a confirmation failed -- |         | ---+ confirms, while
//	              +------------+        (black hole)             +---------+      records are sent
//	                                                               |    ^
//	                                        after RaiseAfter, below Most: probes more, at what it has
//
// Lengths are those of the content of records, Base to Most in steps of Step. Probes go from the longest
// down: most paths take it. Whoever wants records shorter than Base has nothing to forge: no input makes
// them so. What ICMP or the host says (TooLong) causes a probe, and only its loss counts.
//
// A Search belongs to one goroutine.
package pathmtu
