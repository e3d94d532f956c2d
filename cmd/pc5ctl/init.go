package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"pc5d/daemon/auth"
	"pc5d/policy"
	"pc5d/policy/provision"
)

const (
	identityFile     = "identity.key"
	provisioningFile = "pc5d.toml"
)

// initCommand makes what a node needs before its first start.
func initCommand() *cobra.Command {
	dir := "/etc/pc5"
	c := &cobra.Command{
		Use:   "init [NAME]",
		Short: "make this node's key and a provisioning file; what is there already stays",
		Long: "Make the directory, a key that only the daemon can read, and a provisioning file with this node's name,\n" +
			"by default the host's. Nothing is ever overwritten: a second call shows what there is.",
		Example: "  pc5ctl init alice",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			name, err := initName(args)
			if err != nil {
				return err
			}
			return initialize(c.OutOrStdout(), dir, name, daemonUser())
		},
	}
	c.Flags().StringVar(&dir, "dir", dir, "where to make it")
	return c
}

// initName is the name that was given, or one made of the host's.
func initName(args []string) (string, error) {
	if len(args) == 1 {
		return args[0], nil
	}
	host, err := os.Hostname()
	if err != nil {
		return "", fmt.Errorf("host name: %w: name the node, pc5ctl init NAME", err)
	}
	name := plainName(host)
	if name == "" {
		return "", fmt.Errorf("the host name %q makes no name: name the node, pc5ctl init NAME", host)
	}
	return name, nil
}

// plainName makes a name of small letters, digits, - and _ of the first part of another; "" where
// nothing is left.
func plainName(s string) string {
	first, _, _ := strings.Cut(strings.ToLower(s), ".")
	plain := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '-' || r == '_' {
			return r
		}
		return -1
	}, first)
	return strings.TrimLeft(plain, "-_")
}

// initialize makes what is not there yet, and tells what there is.
func initialize(w io.Writer, dir, name string, o *owner) error {
	config, key := filepath.Join(dir, provisioningFile), filepath.Join(dir, identityFile)
	text := provisioningOf(name)
	if _, err := provision.Parse(config, text); err != nil {
		return fmt.Errorf("the name %q is not possible: %w", name, err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("provisioning: %w", err)
	}
	fp, made, err := initKey(key, o)
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "key           %s (%s)\nfingerprint   %s\nread aloud    %s\n", key, made, fp, fp.Aloud())
	made, err = initProvisioning(config, text)
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "provisioning  %s (%s)\n", config, made)
	fmt.Fprintf(w, "\nStart pc5d (systemctl enable --now pc5d). Then\n  pc5ctl invite PEER   makes a token for another host, or\n  pc5ctl join TOKEN    takes one from there\n")
	return nil
}

const (
	madeNew    = "new"
	madeBefore = "was there, not changed"
)

func initKey(path string, o *owner) (policy.Fingerprint, string, error) {
	if _, err := os.Lstat(path); err == nil {
		fp, err := auth.KeyFingerprint(path)
		return fp, madeBefore, err
	}
	fp, err := newKey(auth.Ed25519, path, o)
	return fp, madeNew, err
}

// initProvisioning writes the file whole or not at all, and never over another.
func initProvisioning(path string, text []byte) (string, error) {
	f, err := os.CreateTemp(filepath.Dir(path), "."+provisioningFile+".*")
	if err != nil {
		return "", fmt.Errorf("provisioning: %w", err)
	}
	defer os.Remove(f.Name())
	_, err = f.Write(text)
	if err = errors.Join(err, f.Chmod(0o644), f.Sync(), f.Close()); err != nil {
		return "", fmt.Errorf("provisioning: %w", err)
	}
	switch err := os.Link(f.Name(), path); {
	case errors.Is(err, fs.ErrExist):
		return madeBefore, nil
	case err != nil:
		return "", fmt.Errorf("provisioning: %w", err)
	}
	return madeNew, nil
}

// provisioningOf is a first provisioning file.
func provisioningOf(name string) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, `# What pc5d is to do. pc5ctl check finds every mistake; all keys: docs/provisioning.md.

[node]
name     = %s         # the name that peers know this node by
identity = "%s" # its private key, beside this file
# listen = "[::]:33536"  # where peers call

# Links come by pc5ctl invite and pc5ctl join, or are written down here:
#
# [[link]]
# name      = "bob"                        # the interface is pc5-bob
# pin       = "SHA256:..."                 # what pc5ctl key fingerprint prints at bob
# endpoint  = "192.0.2.2:33536"
# addresses = ["10.5.0.1/32"]
# allowed   = ["10.5.0.2/32"]
`, provision.Quote(name), identityFile)
	return b.Bytes()
}
