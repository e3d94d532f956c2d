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
	c.AddCommand(keyGenCommand(), keyFingerprintCommand(), keyQRCommand())
	return c
}

func keyGenCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "gen FILE",
		Short: "make a new Ed25519 key in FILE (mode 0600) and print its fingerprint",
		Args:  cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			fp, err := newKey(args[0], daemonUser())
			if err != nil {
				return err
			}
			fmt.Fprintln(c.OutOrStdout(), fp)
			return nil
		},
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
