package daemon

import (
	"time"

	"pc5d/daemon/task"
)

// Times before the end of the own certificate at which the operator is told, the last one at it.
const (
	day          = 24 * time.Hour
	firstNotice  = 14 * day
	secondNotice = 3 * day
	// remindEvery is the longest sleep: a clock that was set, or a machine that slept, is noticed.
	remindEvery = 6 * time.Hour
)

// reminder says in the log when the node's own certificate is about to end. Its fields are touched by
// the tasks of its queue only.
type reminder struct {
	node  *Node
	end   time.Time
	queue task.Queue
	told  int // notices so far
}

// newReminder makes one; nil where nobody issued a certificate for the node.
func newReminder(n *Node) *reminder {
	end := n.cfg.Auth.CertificateEnd()
	if end.IsZero() {
		return nil
	}
	r := &reminder{node: n, end: end}
	r.queue = n.cfg.Scheduler.NewQueue(r.wake)
	return r
}

func (r *reminder) start() {
	if r != nil {
		r.queue.Post(r.wake)
	}
}

func (r *reminder) close() {
	if r != nil {
		r.queue.Close()
	}
}

// renewed says that the certificate ends at another time.
func (r *reminder) renewed(end time.Time) {
	if r == nil {
		return
	}
	r.queue.Post(func() {
		r.end, r.told = end, 0
		r.wake()
	})
}

// wake tells each notice once, and only the last of those that are due.
func (r *reminder) wake() {
	now := r.node.now()
	notices := []time.Time{r.end.Add(-firstNotice), r.end.Add(-secondNotice), r.end}
	due := 0
	for due < len(notices) && !now.Before(notices[due]) {
		due++
	}
	if due > r.told {
		r.told = due
		r.tell(now)
	}
	if due == len(notices) {
		return
	}
	next := now.Add(remindEvery)
	if notices[due].Before(next) {
		next = notices[due]
	}
	r.queue.WakeAt(next)
}

func (r *reminder) tell(now time.Time) {
	if !now.Before(r.end) {
		r.node.log.Error("this node's certificate has ended: its links by CA are released; let the CA issue another one, then pc5ctl reload", "end", r.end)
		return
	}
	r.node.log.Warn("this node's certificate ends soon: let the CA issue another one (pc5ctl ca issue), then pc5ctl reload", "end", r.end, "days", int(r.end.Sub(now)/day))
}
