package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"pc5d/daemon"
	"pc5d/policy/provision"
)

// checkCommand reads provisioning files as pc5d does, without starting anything.
func checkCommand() *cobra.Command {
	path, state := "/etc/pc5/pc5d.toml", ""
	c := &cobra.Command{
		Use:   "check [FILE]",
		Short: "check provisioning files and print every mistake in them",
		Args:  cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) == 1 {
				path = args[0]
			}
			var learnt []provision.Source
			if state != "" {
				var err error
				if learnt, err = daemon.Learnt(state); err != nil {
					return err
				}
			}
			p, err := provision.LoadWith(path, learnt)
			if err != nil {
				return err
			}
			for _, why := range p.Shadowed {
				fmt.Fprintf(c.OutOrStdout(), "a learnt link is left out: %s\n", why)
			}
			fmt.Fprintf(c.OutOrStdout(), "%s: good: node %q, %d link(s)\n", path, p.Node.Name, len(p.Links))
			return nil
		},
	}
	c.Flags().StringVar(&state, "state", "", "state `DIR`: read the links that came by invites, too")
	return c
}
