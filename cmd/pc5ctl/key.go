package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"pc5d/daemon/auth"
	"pc5d/policy"
)

// keyCommand makes and shows identities.
func keyCommand() *cobra.Command {
	c := &cobra.Command{Use: "key", Short: "make and show the key of this node"}
	c.AddCommand(keyGenCommand(), keyPSKCommand(), keyPubCommand(), keyFingerprintCommand(), keyQRCommand())
	return c
}

func keyGenCommand() *cobra.Command {
	kind := auth.Ed25519
	c := &cobra.Command{
		Use:   "gen FILE",
		Short: "make a new key in FILE (mode 0600) and print its fingerprint",
		Args:  cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			fp, err := newKey(kind, args[0], daemonUser())
			if err != nil {
				return err
			}
			fmt.Fprintln(c.OutOrStdout(), fp)
			return nil
		},
	}
	c.Flags().TextVar(&kind, "type", kind, "ed25519 or p256")
	return c
}

func keyPubCommand() *cobra.Command {
	return &cobra.Command{
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
	}
}

func keyPSKCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "psk FILE",
		Short: "make a new pre-shared key in FILE (mode 0600), for both ends of one link",
		Args:  cobra.ExactArgs(1),
		RunE:  func(_ *cobra.Command, args []string) error { return newPSK(args[0], daemonUser()) },
	}
}

func keyFingerprintCommand() *cobra.Command {
	var aloud bool
	c := &cobra.Command{
		Use:   "fingerprint FILE|FINGERPRINT",
		Short: "print the fingerprint of the key in FILE: the peer pins it",
		Long: "Print the fingerprint of the key in FILE, which the peer pins. With --aloud it is eight groups of five digits,\n" +
			"the first 128 bits, to be read over the telephone. Compare all eight: fewer are no proof. A fingerprint\n" +
			"instead of a file, such as a pin of the provisioning, is printed the same way.",
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			fp, err := fingerprintOf(args[0])
			if err != nil {
				return err
			}
			if aloud {
				fmt.Fprintln(c.OutOrStdout(), fp.Aloud())
				return nil
			}
			fmt.Fprintln(c.OutOrStdout(), fp)
			return nil
		},
	}
	c.Flags().BoolVar(&aloud, "aloud", false, "as digits to be read aloud")
	return c
}

func keyQRCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "qr FILE|FINGERPRINT",
		Short: "show the fingerprint of the key in FILE as a QR code",
		Args:  cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			fp, err := fingerprintOf(args[0])
			if err != nil {
				return err
			}
			if err := printQR(c.OutOrStdout(), fp.String()); err != nil {
				return err
			}
			fmt.Fprintln(c.OutOrStdout(), fp)
			return nil
		},
	}
}

// fingerprintOf reads a fingerprint, or that of the key in a file.
func fingerprintOf(arg string) (policy.Fingerprint, error) {
	if strings.HasPrefix(arg, "SHA256:") {
		return policy.ParseFingerprint(arg)
	}
	return auth.KeyFingerprint(arg)
}
