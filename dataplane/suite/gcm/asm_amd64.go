package gcm

// assembled tells that this build has the assembly.
const assembled = true

// seal ciphers n octets at src, a multiple of step up to maxLen, to dst and makes their tag.
//
//go:noescape
func seal(k *keys, nonce *[nonceLen]byte, aad, tag *[tagLen]byte, dst, src *byte, n int)

// open deciphers n octets at src to dst and makes the tag that they should have.
//
//go:noescape
func open(k *keys, nonce *[nonceLen]byte, aad, tag *[tagLen]byte, dst, src *byte, n int)

// multiply sets product to a·b, all three as raise has them.
//
//go:noescape
func multiply(product, a, b *[16]byte)

// subWord takes each octet of w through the S-box, without a table. (FIPS 197, 5.2)
func subWord(w uint32) uint32
