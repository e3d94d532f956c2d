// Package link is one PC5 unicast link as a machine: octets, commands and the time go in,
// effects come out. It runs both roles of establishment, Direct Authentication and Key
// Establishment, security mode control and release (TS 24.554, 7.2.2, 7.2.12, 7.2.10, 7.2.6).
//
// It does no I/O, has no goroutine of its own, reads no clock and draws randomness only from
// the reader that it is given; TLS sits behind the Handshake interface. It does not decide
// when a link is wanted or how often an attempt is repeated: that is its owner's.
//
//	A (initiator)                              B (responder)
//	IDLE                                       (Admission answers without state)
//	REQUESTED   -- establishment request -->
//	            <-- authentication request --  cookie, stateless
//	AUTH        -- authentication response ->  AUTH
//	            <-- authentication request --
//	            -- authentication response ->
//	            <-- security mode command ---  SMC
//	AWAIT_ACCEPT -- security mode complete ->
//	            <-- establishment accept ----  ESTABLISHED
//	ESTABLISHED
//
// A Machine is not safe for concurrent use; one goroutine owns it.
package link
