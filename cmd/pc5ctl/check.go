package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"pc5d/policy/provision"
)

// checkCommand reads provisioning files as pc5d does, without starting anything.
func checkCommand() *cobra.Command {
	path := "/etc/pc5/pc5d.toml"
	return &cobra.Command{
		Use:   "check [FILE]",
		Short: "check provisioning files and print every mistake in them",
		Args:  cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) == 1 {
				path = args[0]
			}
			p, err := provision.Load(path)
			if err != nil {
				return err
			}
			fmt.Fprintf(c.OutOrStdout(), "%s: good: node %q, %d link(s)\n", path, p.Node.Name, len(p.Links))
			return nil
		},
	}
}
