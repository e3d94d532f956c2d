package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"pc5d/daemon/control/client"
)

// forgetCommand ends kept keys.
func forgetCommand(socket *string) *cobra.Command {
	var all bool
	c := &cobra.Command{
		Use:   "forget PEER",
		Short: "forget the keys that spare the next establishment with a peer the full authentication",
		Args:  cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if all == (len(args) == 1) {
				return fmt.Errorf("name a peer, or write --all")
			}
			peer := ""
			if !all {
				peer = args[0]
			}
			ctx, cancel := context.WithTimeout(c.Context(), 5*time.Second)
			defer cancel()
			n, err := client.New(*socket).Forget(ctx, peer)
			if err != nil {
				return err
			}
			fmt.Fprintf(c.OutOrStdout(), "forgotten: %d\n", n)
			return nil
		},
	}
	c.Flags().BoolVar(&all, "all", false, "of all peers")
	return c
}
