// Package aesctr is AES in counter mode for messages that are ciphered one after the other, without an allocation for
// each: the standard library's CTR makes a stream for every initial counter, and cannot begin anew.
//
// Blocks 0 and 1, and the end, are ciphered one by one. What is between is what AES-GCM does with a plaintext: it
// counts from nonce || 2 on (NIST SP 800-38D, 7.1), many blocks at a time. Its tag is never shown to anybody.
//
//	block     0, 1                2 ... n-2                       n-1, or n-1 and a part of n
//	by        AES, one by one     AES-GCM, nonce = the prefix     AES, one by one
package aesctr
