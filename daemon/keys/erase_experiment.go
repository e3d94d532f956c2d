//go:build goexperiment.runtimesecret

package keys

import "runtime/secret"

// Erasing runs f, and then overwrites what f left in registers and on the stack, and what it allocated
// and nobody refers to any more. Only with GOEXPERIMENT=runtimesecret: package runtime/secret.
func Erasing(f func()) { secret.Do(f) }
