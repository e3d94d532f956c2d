package host_test

import (
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"

	"pc5d/daemon/host"
	"pc5d/policy"
)

// TestProcessor: what the kernel lists decides.
func TestProcessor(t *testing.T) {
	if runtime.GOARCH != "amd64" {
		t.Skip("reads the flags of x86 from /proc/cpuinfo")
	}
	text, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "\nflags")
	line, _, _ := strings.Cut(rest, "\n")
	flags := strings.Fields(line)
	want := policy.WithAES
	for _, needed := range []string{"aes", "pclmulqdq", "sse4_1", "ssse3"} {
		if !slices.Contains(flags, needed) {
			want = policy.WithoutAES
		}
	}
	if got := host.Processor(); got != want {
		t.Errorf("processor %d, want %d by %v", got, want, flags)
	}
}
