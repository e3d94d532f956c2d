package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"pc5d/daemon/auth"
)

// keyCommand makes and shows identities.
func keyCommand() *cobra.Command {
	c := &cobra.Command{Use: "key", Short: "make and show the key of this node"}
	c.AddCommand(&cobra.Command{
		Use:   "gen FILE",
		Short: "make a new Ed25519 key in FILE (mode 0600) and print its fingerprint",
		Args:  cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			fp, err := auth.GenerateKey(args[0])
			if err != nil {
				return err
			}
			fmt.Fprintln(c.OutOrStdout(), fp)
			return nil
		},
	}, &cobra.Command{
		Use:   "psk FILE",
		Short: "make a new pre-shared key in FILE (mode 0600), for both ends of one link",
		Args:  cobra.ExactArgs(1),
		RunE:  func(_ *cobra.Command, args []string) error { return auth.GeneratePSK(args[0]) },
	}, &cobra.Command{
		Use:   "fingerprint FILE",
		Short: "print the fingerprint of the key in FILE: the peer pins it",
		Args:  cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			fp, err := auth.KeyFingerprint(args[0])
			if err != nil {
				return err
			}
			fmt.Fprintln(c.OutOrStdout(), fp)
			return nil
		},
	})
	return c
}
