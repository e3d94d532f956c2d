package main

import (
	"github.com/spf13/cobra"

	"pc5d/daemon/lab/demo"
)

// demoCommand shows a whole link on one machine.
func demoCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "demo",
		Short: "show a whole link on this machine: two daemons in two private networks (root)",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return demo.Run(c.Context(), c.OutOrStdout(), printStatus)
		},
	}
}
