package host

import (
	"runtime"

	"golang.org/x/sys/cpu"

	"pc5d/policy"
)

// Processor says whether the standard library has instructions for AES-GCM here.
func Processor() policy.Processor {
	var fast bool
	switch runtime.GOARCH {
	case "amd64":
		fast = cpu.X86.HasAES && cpu.X86.HasPCLMULQDQ && cpu.X86.HasSSE41 && cpu.X86.HasSSSE3
	case "arm64":
		fast = cpu.ARM64.HasAES && cpu.ARM64.HasPMULL
	case "s390x":
		fast = cpu.S390X.HasAES && cpu.S390X.HasAESCTR && cpu.S390X.HasGHASH
	case "ppc64", "ppc64le":
		fast = true
	}
	if fast {
		return policy.WithAES
	}
	return policy.WithoutAES
}
