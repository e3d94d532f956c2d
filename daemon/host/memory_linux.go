package host

import (
	"errors"
	"fmt"
	"log/slog"

	"golang.org/x/sys/unix"
)

// SealMemory keeps the memory of this process out of core files, other processes and swap (T71). The
// whole process is locked, each page as it comes into use, and not an arena for keys alone: TLS and
// the algorithms copy keys to places that nobody chose. Where the host does not allow it a line in the
// log says what to do, and the daemon goes on.
func SealMemory(log *slog.Logger) {
	if err := noDumps(); err != nil {
		log.Warn("memory can reach a core file: set LimitCORE=0 for the service", "error", err)
	}
	if err := lockMemory(); err != nil {
		log.Warn("memory with keys can reach the swap space: set LimitMEMLOCK=infinity for the service, or use no swap", "error", err)
	}
}

// noDumps also keeps others of the same user from reading the memory (ptrace(2)).
func noDumps() error {
	if err := unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0); err != nil {
		return fmt.Errorf("prctl: %w", err)
	}
	var l unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_CORE, &l); err != nil || l == (unix.Rlimit{}) {
		return err
	}
	return unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{})
}

// lockMemory locks nothing under a finite limit: what comes into use beyond it later would end the
// process.
func lockMemory() error {
	var l unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_MEMLOCK, &l); err != nil {
		return err
	}
	if l.Cur != unix.RLIM_INFINITY && !capable(unix.CAP_IPC_LOCK) {
		return errors.New("the limit of locked memory is finite")
	}
	return unix.Mlockall(unix.MCL_CURRENT | unix.MCL_FUTURE | unix.MCL_ONFAULT)
}

// capable tells whether the process has a capability now.
func capable(capability uint) bool {
	h := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var d [2]unix.CapUserData
	if err := unix.Capget(&h, &d[0]); err != nil {
		return false
	}
	return d[capability/32].Effective>>(capability%32)&1 == 1
}
