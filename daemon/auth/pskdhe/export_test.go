package pskdhe

import "crypto/ecdh"

// Private is this end's private key.
func (x *Exchange) Private() *ecdh.PrivateKey { return x.private }
