//go:build !goexperiment.runtimesecret

package keys

// Erasing runs f. Built with GOEXPERIMENT=runtimesecret it also overwrites what f leaves behind of
// its secrets; without, what is not a Secret stays where the runtime put it until it is used again.
func Erasing(f func()) { f() }
