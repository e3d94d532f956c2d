package lab

import (
	"context"
	"fmt"
	"os/exec"
	"strings"
	"time"
)

const filterTimeout = 10 * time.Second

// losing is a table of nftables; the host's namespace holds it and takes it along.
const losing = `table inet pc5lab
delete table inet pc5lab
table inet pc5lab {
	chain in {
		type filter hook input priority 0
		udp dport %d numgen random mod 1000 < %d drop
	}
}
`

// Lose drops, at random, so many percent of the datagrams that come to a UDP port of the host. It
// needs nft.
func (h *Host) Lose(percent int, port uint16) error { return h.LosePerMille(10*percent, port) }

// LosePerMille is Lose in steps of a tenth of a percent. What the kernel carries as one packet, such
// as a train of datagrams that were never cut, is lost as one.
func (h *Host) LosePerMille(perMille int, port uint16) error {
	ctx, cancel := context.WithTimeout(context.Background(), filterTimeout)
	defer cancel()
	c := exec.CommandContext(ctx, "nft", "-f", "-")
	c.Stdin = strings.NewReader(fmt.Sprintf(losing, port, perMille))
	return h.Do(func() error {
		if out, err := c.CombinedOutput(); err != nil {
			return fmt.Errorf("nft: %w: %s", err, out)
		}
		return nil
	})
}
