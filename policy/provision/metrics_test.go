package provision_test

import (
	"fmt"
	"strings"
	"testing"

	"pc5d/policy/provision"
)

// TestNodeMetrics: one address of one host, with a port; what means every interface is refused, where it stands.
func TestNodeMetrics(t *testing.T) {
	for value, want := range map[string]string{
		`"127.0.0.1:9533"`:        "127.0.0.1:9533",
		`"[::1]:9533"`:            "[::1]:9533",
		`"10.5.0.1:9533"`:         "10.5.0.1:9533",
		`"[::ffff:10.5.0.1]:1"`:   "10.5.0.1:1",
		`"[fe80::1%eth0]:9533"`:   "[fe80::1%eth0]:9533",
		`"0.0.0.0:9533"`:          "every address of this host",
		`"[::]:9533"`:             "every address of this host",
		`"[::ffff:0.0.0.0]:9533"`: "every address of this host",
		`"127.0.0.1:0"`:           "port 0",
		`"127.0.0.1"`:             "not an IP address and a port",
		`":9533"`:                 "not an IP address and a port",
		`"localhost:9533"`:        "not an IP address and a port",
		`"127.0.0.1:99999"`:       "not an IP address and a port",
		`""`:                      "not an IP address and a port",
		`"224.0.0.1:9533"`:        "not the address of one host",
		`"255.255.255.255:9533"`:  "not the address of one host",
		`9533`:                    "node.metrics is not a string",
		`["127.0.0.1:9533"]`:      "node.metrics is not a string",
	} {
		p, err := provision.Parse("pc5d.toml", []byte("[node]\nname=\"a\"\nidentity=\"k\"\nmetrics = "+value+"\n"))
		if err == nil {
			if got := p.Node.Metrics.String(); got != want {
				t.Errorf("%s: %s, want %s", value, got, want)
			}
			continue
		}
		if !strings.Contains(err.Error(), want) || !strings.HasPrefix(fmt.Sprint(err), "pc5d.toml:4:1") || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v, want one line with %q", value, err, want)
		}
	}
	p, err := provision.Parse("pc5d.toml", []byte("[node]\nname=\"a\"\nidentity=\"k\"\n"))
	if err != nil || p.Node.Metrics.IsValid() {
		t.Errorf("the default is %+v, %v", p, err)
	}
}
