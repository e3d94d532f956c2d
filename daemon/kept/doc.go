// Package kept is the cache of resumption keys: what spares the next establishment with a peer the
// full authentication. It keeps one key for each peer and service, in memory and, where told to, in
// one encrypted file. It never sees K_NRP, derives nothing for links and judges no peer: which keys
// a policy still admits is what the caller answers to Retain, also once after Open.
//
// A key is used once and has an end: Life after it was made, Reauthenticate after the last full
// authentication, and the end of the peer's certificate, whichever comes first. Losing the cache,
// or any part of it, costs one full authentication for each key and nothing else.
//
// The file:
//
//	0                8         9          25         37
//	+----------------+---------+----------+----------+---------------------------------+-----+
//	| "pc5dkept"     | version | salt     | nonce    | AES-256-GCM of the body         | tag |
//	+----------------+---------+----------+----------+---------------------------------+-----+
//	 <---------- authenticated: 37 octets ---------->
//
//	key    HKDF-SHA-256(ikm = Config.Secret, salt, "pc5d/1 key cache"); a salt for each Open,
//	       a random nonce for each write
//	body   newest wall clock seen (time), number of entries (2), entries by peer and service
//	entry  K_NRP ID (4), peer (1 + n), service (1 + n), fingerprint (32), key (32), made (time),
//	       authenticated (time), certificate end (time), newest timestamp (8)
//	time   seconds since 1970, signed (8), nanoseconds (4); the zero time.Time is "none"
//
// Every body has one spelling: what is read and written again is the same octets.
//
// What has left the cache has left the file before the call returns. Where that cannot be written,
// the file is emptied and removed; where that fails too an event says so, and each later change
// tries again. docs/kept.md has each fault and what follows, and why even a stale file breaks
// nothing.
//
// A Store is safe for concurrent use. No lock is held over Event, Now, or the functions that Each
// and Retain call. Put, Take, Forget, Retain and Close write to the disk before they return; ForPeer,
// ByID, Each and Accept never do, so a datagram that proves nothing causes no I/O.
package kept
