package main

import (
	"context"
	"fmt"
	"net/netip"
	"time"

	"github.com/spf13/cobra"

	"pc5d/daemon/control/client"
)

// solicitCommand asks everybody at once.
func solicitCommand(socket *string) *cobra.Command {
	var wait time.Duration
	var service string
	c := &cobra.Command{
		Use:   "solicit ADDRESS:PORT",
		Short: "ask everybody at a broadcast address for the links that are provisioned",
		Long: "One request goes to all who listen at the address. Each provisioned peer that hears it and has a link to this node\n" +
			"answers, and gets the link; nobody else does. Links that are up already stay as they are.",
		Example: "  pc5ctl solicit 192.0.2.255:33536",
		Args:    cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			to, err := netip.ParseAddrPort(args[0])
			if err != nil {
				return fmt.Errorf("%q is no ADDRESS:PORT, such as 192.0.2.255:33536", args[0])
			}
			ctx, cancel := context.WithTimeout(c.Context(), wait+5*time.Second)
			defer cancel()
			s, err := client.New(*socket).Solicit(ctx, to, service, wait)
			if err != nil {
				return err
			}
			up := 0
			for _, l := range s.Links {
				if l.State == "established" {
					up++
					fmt.Fprintf(c.OutOrStdout(), "established %s: %s\n", l.Name, protection(l))
				}
			}
			if up == 0 {
				return fmt.Errorf("nobody at %s answered for a provisioned link: is the address the segment's broadcast address, and does pc5d run there", to)
			}
			return nil
		},
	}
	c.Flags().DurationVar(&wait, "wait", 5*time.Second, "how long to wait for answers")
	c.Flags().StringVar(&service, "service", "ip", "service of the links")
	return c
}
