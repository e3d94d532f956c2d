package provision

import (
	"errors"
	"io/fs"
	"syscall"
	"testing"
)

// TestUnreadableByPermission needs no other user: root may read everything, so no file helps.
func TestUnreadableByPermission(t *testing.T) {
	err := unreadable("/etc/pc5/pc5d.toml", &fs.PathError{Op: "open", Path: "/etc/pc5/pc5d.toml", Err: syscall.EACCES})
	want := "/etc/pc5/pc5d.toml may not be read by this user: run as root or as the daemon's user"
	if !errors.Is(err, fs.ErrPermission) || err.Error() != want {
		t.Errorf("got %v\nwant %s", err, want)
	}
}
