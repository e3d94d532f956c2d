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
		Short: "remove a link that came by an invite, with its keys, its interface and its routes",
		Long: "Remove a link that came by an invite: its file, the pin of its peer, kept keys, interface, routes and guard\n" +
			"routes. The peer keeps its own end until pc5ctl unpair runs there.",
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			ctx, cancel := context.WithTimeout(c.Context(), unpairWait+5*time.Second)
			defer cancel()
			if err := client.New(*socket).Unpair(ctx, args[0], unpairWait); err != nil {
				return err
			}
			fmt.Fprintf(c.OutOrStdout(), "removed %s\n", args[0])
			return nil
		},
	}
}
