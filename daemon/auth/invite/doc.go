// Package invite is pairing by a token (Extension): one host makes an invite, the other joins with
// the token of it, and each then knows the other's key.
//
//	inviter                                   joiner
//	makes a secret, prints the token  ------>  (paper, telephone, QR code)
//	                                           pins the inviter's key from the token
//	        <-- establishment request, with a proof of the secret for the joiner's key
//	checks the proof once TLS has shown the key, pins the key when its first MAC is right
//
// The token holds what the joiner has to know: the inviter's name, key and endpoint, the secret, when
// it expires, and the addresses inside the link. Whoever has it can join once.
//
// The package reads and writes tokens and makes proofs. It keeps nothing, does no I/O, and reads no
// clock; which invites are open is the node's business. All functions may be called concurrently.
package invite
