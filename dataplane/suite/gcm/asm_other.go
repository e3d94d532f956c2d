//go:build !amd64

package gcm

const assembled = false

func seal(*keys, *[nonceLen]byte, *[tagLen]byte, *[tagLen]byte, *byte, *byte, int) { panic(missing) }
func open(*keys, *[nonceLen]byte, *[tagLen]byte, *[tagLen]byte, *byte, *byte, int) { panic(missing) }
func multiply(_, _, _ *[16]byte)                                                   { panic(missing) }
func subWord(uint32) uint32                                                        { panic(missing) }

const missing = "BUG: gcm: used without assembly"
