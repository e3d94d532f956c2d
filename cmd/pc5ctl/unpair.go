package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"pc5d/daemon/control/client"
)

// unpairWait is longer than a release can take where the peer does not answer.
const unpairWait = 20 * time.Second

// unpairCommand removes a learnt link.
func unpairCommand(socket *string) *cobra.Command {
	return &cobra.Command{
		Use:   "unpair LINK",
		Short: "forget a peer: remove a link that came by an invite, or the pin of a first use",
		Long: "Remove a link that came by an invite: its file, the pin of its peer, kept keys, interface, routes and guard\n" +
			"routes. Of a link that the provisioning trusts at its first use the pin is forgotten, and the link stays.\n" +
			"The peer keeps its own end until pc5ctl unpair runs there.",
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			ctx, cancel := context.WithTimeout(c.Context(), unpairWait+5*time.Second)
			defer cancel()
			if err := client.New(*socket).Unpair(ctx, args[0], unpairWait); err != nil {
				return err
			}
			fmt.Fprintf(c.OutOrStdout(), "unpaired %s\n", args[0])
			return nil
		},
	}
}
