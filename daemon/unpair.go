package daemon

import (
	"context"
	"fmt"

	"pc5d/daemon/control"
	"pc5d/policy"
)

// Unpair removes a learnt link for good: its file, its keys, its interface and its routes. Of a link
// that the operator wrote it forgets the pin of the first use. When it returns the peer can not come
// back; the release of a link that is up may still be under way where ctx ended first.
func (n *Node) Unpair(ctx context.Context, name string) error {
	done, err := n.unpair(name)
	if err != nil {
		return err
	}
	select {
	case <-done:
		return nil
	case <-n.ended:
		return control.ErrStopping
	case <-ctx.Done():
		return control.ErrTooSlow
	}
}

// unpair starts the removal; the file goes first, so that no crash brings the link back.
func (n *Node) unpair(name string) (done chan struct{}, err error) {
	n.links.change.Lock()
	defer n.links.change.Unlock()
	k := n.keeper(name)
	switch {
	case n.links.closed:
		return nil, control.ErrStopping
	case n.shadowed(name):
		return n.unshadow(name)
	case k == nil:
		return nil, noLink(name)
	case k.config.Trust == policy.TrustFirstUse:
		return n.unpinLocked(k)
	case !k.config.Learnt:
		return nil, fmt.Errorf("link %s was not learnt: it stands in the provisioning, remove it there and restart pc5d", name)
	}
	n.pairing.without(name)
	n.saveInvitesLocked()
	if n.pairing.stale {
		return nil, fmt.Errorf("the link stays: the file of the invites can not be written, and would let its peer in again")
	}
	if err := n.state.files.Remove(learntFile(name)); err != nil {
		return nil, fmt.Errorf("the link stays: %w", err)
	}
	done = make(chan struct{})
	n.removeLocked(k, done)
	return done, nil
}

// unshadow forgets a learnt link that the provisioning leaves out: it is nothing but a file.
func (n *Node) unshadow(name string) (done chan struct{}, err error) {
	if err := n.state.files.Remove(learntFile(name)); err != nil {
		return nil, fmt.Errorf("the link stays: %w", err)
	}
	n.log.Info("learnt link forgotten, which the provisioning left out", "link", name)
	done = make(chan struct{})
	close(done)
	return done, nil
}
