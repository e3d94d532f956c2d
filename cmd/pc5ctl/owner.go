package main

import (
	"errors"
	"fmt"
	"os"
	"os/user"
	"strconv"

	"pc5d/daemon/auth"
	"pc5d/policy"
)

// owner is who a new file is given to; nil: whoever makes it.
type owner struct{ uid, gid int }

// daemonUser is user pc5 where it exists and root makes files for it (T70).
func daemonUser() *owner {
	u, err := user.Lookup("pc5")
	if err != nil || os.Geteuid() != 0 {
		return nil
	}
	uid, uidErr := strconv.Atoi(u.Uid)
	gid, gidErr := strconv.Atoi(u.Gid)
	if uidErr != nil || gidErr != nil {
		return nil
	}
	return &owner{uid, gid}
}

// newKey makes a key of a type that nobody but its owner can read.
func newKey(kind auth.KeyType, path string, o *owner) (policy.Fingerprint, error) {
	fp, err := auth.GenerateKeyOf(kind, path)
	if err != nil {
		return fp, err
	}
	return fp, o.own(path)
}

// newPSK makes a pre-shared key that nobody but its owner can read.
func newPSK(path string, o *owner) error {
	if err := auth.GeneratePSK(path); err != nil {
		return err
	}
	return o.own(path)
}

// own gives a new file to its owner, or removes it.
func (o *owner) own(path string) error {
	if o == nil {
		return nil
	}
	if err := os.Lchown(path, o.uid, o.gid); err != nil {
		return errors.Join(fmt.Errorf("give the key to user pc5: %w", err), os.Remove(path))
	}
	return nil
}
