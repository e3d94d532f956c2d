package main

import (
	"fmt"
	"io"
	"os"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"pc5d/daemon/auth/ca"
)

// caCommand keeps the CA of a fleet; it never speaks to a daemon.
func caCommand() *cobra.Command {
	var dir string
	c := &cobra.Command{Use: "ca", Short: "issue and revoke the certificates of a fleet"}
	inDir := func(c *cobra.Command) *cobra.Command {
		c.Flags().StringVar(&dir, "ca", "", "folder of the CA")
		_ = c.MarkFlagRequired("ca") // the flag is there
		return c
	}
	c.AddCommand(caInitCommand(), inDir(caIssueCommand(&dir)), inDir(caRevokeCommand(&dir)), inDir(caListCommand(&dir)), inDir(caListingCommand(&dir)))
	return c
}

func caInitCommand() *cobra.Command {
	name := "pc5 fleet"
	c := &cobra.Command{
		Use:   "init DIR",
		Short: "make a CA in DIR and print the fingerprint of its key",
		Args:  cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			fp, err := ca.Init(args[0], name, time.Now())
			if err != nil {
				return err
			}
			fmt.Fprintln(c.OutOrStdout(), fp)
			return nil
		},
	}
	c.Flags().StringVar(&name, "name", name, "name of the CA, for people")
	return c
}

func caIssueCommand(dir *string) *cobra.Command {
	days := ca.DefaultDays
	c := &cobra.Command{
		Use:   "issue NAME PUBKEY.pem",
		Short: "print a certificate for the node NAME and the key that its pc5ctl key pub printed",
		Args:  cobra.ExactArgs(2),
		RunE: func(c *cobra.Command, args []string) error {
			public, err := os.ReadFile(args[1])
			if err != nil {
				return err
			}
			return withFleet(*dir, func(f *ca.Fleet) error {
				text, err := f.Issue(args[0], public, days)
				if err != nil {
					return err
				}
				_, err = c.OutOrStdout().Write(text)
				return err
			})
		},
	}
	c.Flags().IntVar(&days, "days", days, "life of the certificate")
	return c
}

func caRevokeCommand(dir *string) *cobra.Command {
	return &cobra.Command{
		Use:   "revoke NAME|SERIAL|CERT",
		Short: "revoke the certificates of a name, or one, and make the revocation list anew",
		Args:  cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return withFleet(*dir, func(f *ca.Fleet) error {
				revoked, err := f.Revoke(args[0])
				if err != nil {
					return err
				}
				return printCertificates(c.OutOrStdout(), revoked)
			})
		},
	}
}

func caListCommand(dir *string) *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "show what was issued and what is revoked",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return withFleet(*dir, func(f *ca.Fleet) error { return printCertificates(c.OutOrStdout(), f.List()) })
		},
	}
}

func caListingCommand(dir *string) *cobra.Command {
	days := ca.DefaultListDays
	c := &cobra.Command{
		Use:   "crl",
		Short: "make the revocation list anew, before it is over",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			return withFleet(*dir, func(f *ca.Fleet) error { return f.MakeList(days) })
		},
	}
	c.Flags().IntVar(&days, "days", days, "how long the list counts; nodes refuse every certificate afterwards")
	return c
}

func withFleet(dir string, do func(*ca.Fleet) error) error {
	f, err := ca.Open(dir, time.Now())
	if err != nil {
		return err
	}
	defer f.Close()
	return do(f)
}

func printCertificates(w io.Writer, all []ca.Certificate) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "STATE\tNAME\tENDS\tSERIAL\tKEY")
	for _, c := range all {
		fmt.Fprintf(t, "%s\t%q\t%s\t%s\t%s\n", c.State(time.Now()), c.Name, c.Ends.UTC().Format(time.RFC3339), c.Serial, c.Key)
	}
	return t.Flush()
}
