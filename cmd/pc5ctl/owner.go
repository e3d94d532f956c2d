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

// newKey makes a key that nobody but its owner can read. What can not be given to him is removed.
func newKey(path string, o *owner) (policy.Fingerprint, error) {
	fp, err := auth.GenerateKey(path)
	if err != nil || o == nil {
		return fp, err
	}
	if err := os.Lchown(path, o.uid, o.gid); err != nil {
		return policy.Fingerprint{}, errors.Join(fmt.Errorf("give the key to user pc5: %w", err), os.Remove(path))
	}
	return fp, nil
}
