package daemon

import (
	"slices"
	"time"

	"pc5d/daemon/control"
	"pc5d/daemon/link"
)

// waiter waits for the end of a procedure of the current machine.
type waiter struct {
	procedures []link.Procedure
	done       chan<- error // capacity 1
}

// run asks the current machine for a procedure; its end is told to w.
func (k *keeper) run(w waiter, ask func(*link.Machine, time.Time) error) {
	r := k.current
	if r == nil {
		w.done <- control.ErrNotEstablished
		return
	}
	k.waiters = append(k.waiters, w)
	r.step(func() {
		// A machine that has ended meanwhile tells its keeper, and the keeper the waiters.
		_ = ask(r.machine, k.node.now())
	})
}

// concluded tells whoever waits for a procedure how it ended.
func (k *keeper) concluded(r *runner, e link.Concluded) {
	if k.current != r {
		return
	}
	if e.Err != nil {
		k.log.Warn("procedure failed", "procedure", e.Procedure.String(), "error", e.Err)
	}
	k.waiters = slices.DeleteFunc(k.waiters, func(w waiter) bool {
		if !slices.Contains(w.procedures, e.Procedure) {
			return false
		}
		w.done <- e.Err
		return true
	})
}

// dismiss tells all who wait for a procedure that it has no end.
func (k *keeper) dismiss(err error) {
	for _, w := range k.waiters {
		w.done <- err
	}
	k.waiters = nil
}
