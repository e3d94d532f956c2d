package demo

import (
	"fmt"
	"os"
	"path/filepath"

	"pc5d/daemon/auth"
	"pc5d/policy"
)

const file = `[node]
name = %q
identity = %q

[[link]]
name = %q
pin = %q
endpoint = "%s:33536"
addresses = ["%s/32", "%s/128"]
allowed = ["%s/32", "%s/128"]
`

// provision makes two identities and two provisioning files (step 0).
func (d *demo) provision() error {
	var pins [2]policy.Fingerprint
	for i, n := range d.nodes {
		fp, err := auth.GenerateKey(filepath.Join(d.dir, n.host.Name+".key"))
		if err != nil {
			return err
		}
		pins[i] = fp
	}
	for i, n := range d.nodes {
		peer := d.nodes[1-i]
		text := fmt.Sprintf(file, n.host.Name, n.host.Name+".key", n.peer, pins[1-i], peer.host.Address, n.four, n.six, peer.four, peer.six)
		if err := os.WriteFile(filepath.Join(d.dir, n.host.Name+".toml"), []byte(text), 0o600); err != nil {
			return err
		}
	}
	return nil
}
