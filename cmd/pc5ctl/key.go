package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"pc5d/daemon/auth"
)

// keyCommand makes and shows identities.
func keyCommand() *cobra.Command {
	c := &cobra.Command{Use: "key", Short: "make and show the key of this node"}
	kind := auth.Ed25519
	gen := &cobra.Command{
		Use:   "gen FILE",
		Short: "make a new key in FILE (mode 0600) and print its fingerprint",
		Args:  cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			fp, err := auth.GenerateKeyOf(kind, args[0])
			if err != nil {
				return err
			}
			fmt.Fprintln(c.OutOrStdout(), fp)
			return nil
		},
	}
	gen.Flags().TextVar(&kind, "type", kind, "ed25519 or p256")
	c.AddCommand(gen, &cobra.Command{
		Use:   "pub FILE",
		Short: "print the public half of the key in FILE as PEM: a CA signs it",
		Args:  cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			pub, err := auth.PublicKey(args[0])
			if err != nil {
				return err
			}
			_, err = c.OutOrStdout().Write(pub)
			return err
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
