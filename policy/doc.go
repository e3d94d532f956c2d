// Package policy is the security policy of a link: the three words of the standard, how the
// words of two ends resolve, and which algorithm or suite the responder chooses.
//
// It knows nothing of messages, keys or files: package provision (below it) reads policies from
// the provisioning, and the link machine asks the functions here for every decision.
//
//	own \ peer   required   preferred               not-needed
//	required     on         on                      mismatch
//	preferred    on         on, if anything common  off
//	not-needed   mismatch   off                     off
//
// "on" needs a common algorithm: where there is none it is a mismatch if either end requires
// protection, and off otherwise. A mismatch is a *Mismatch and becomes a reject with cause 12.
//
// Nothing here has a wire format of its own; the numbers of Requirement are those of the
// policy information elements (package pc5s). All values are immutable after construction and
// all functions are pure: any goroutine may call them at any time.
package policy
