// Package ca is a small certificate authority for a fleet of nodes: it issues certificates that
// daemon/auth admits, keeps an index of them, and makes the revocation list. It is one folder of
// files, which somebody holds on a machine that is better off the network:
//
//	ca.key       private key, ECDSA P-256, mode 0600; whoever has it speaks for every name
//	ca.crt       certificate: node.ca of every node
//	ca.crl       revocation list: node.crl of every node; made anew with each revocation
//	index.json   what was issued and what is revoked
//
// A name has one key at a time: a certificate for another key is issued only after the older ones
// are revoked or over. The index knows a certificate before anybody else does, and a revocation
// before the list is made, so that a crash in between loses none; making the list again mends it.
// Every file but the key is replaced whole: temporary file, fsync, rename, fsync of the folder.
//
// It does not speak to nodes: files are carried. A Fleet holds a lock on its folder and may be used
// by one goroutine only.
package ca
