package daemon

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"pc5d/daemon/control"
	"pc5d/daemon/kept"
	"pc5d/daemon/link"
	"pc5d/policy"
)

// Trust is what admits peers, where that can change while a node runs.
type Trust interface {
	// Reload reads it anew, and on an error has changed nothing. Every judgement that begins after
	// it has returned goes by what it read.
	Reload() error
	// Admits tells why a peer that authenticated before would not be admitted now.
	Admits(link.Peer) error
}

// Reload reads anew what admits peers, then ends the kept keys and the links of those who are not
// admitted any more (T16). An attempt under way is judged either by what was read, or by the task that
// is posted here: begin posts one to each runner that comes later.
func (n *Node) Reload(context.Context) (control.Reloaded, error) {
	n.reload.Lock()
	defer n.reload.Unlock()
	if n.cfg.Trust == nil {
		return control.Reloaded{}, nil
	}
	end := n.cfg.Auth.CertificateEnd()
	if err := n.cfg.Trust.Reload(); err != nil {
		n.log.Error("reload refused, nothing has changed", "error", err)
		return control.Reloaded{}, fmt.Errorf("nothing has changed: %w", err)
	}
	ended := 0
	if n.store != nil {
		n.store.Retain(func(e kept.Entry) bool {
			if n.retains(e) {
				return true
			}
			ended++
			return false
		})
	}
	n.mu.Lock()
	runners := slices.Clone(n.runners)
	n.mu.Unlock()
	for _, r := range runners {
		r.step(r.recheck)
	}
	n.log.Info("reloaded certificates, CAs, revocation lists and denied keys", "kept_keys_ended", ended)
	if now := n.cfg.Auth.CertificateEnd(); !now.Equal(end) {
		n.renewed(now)
	}
	return control.Reloaded{Keys: ended}, nil
}

// renewed follows another own certificate: the peers get to see it now, and not when the one that they
// know ends.
func (n *Node) renewed(end time.Time) {
	n.log.Info("this node has another certificate", "end", end)
	n.reminder.renewed(end)
	for _, k := range n.ordered() {
		if k.link.Trust == policy.TrustCA {
			k.post(func(k *keeper) { k.renewal.due = n.now() })
		}
	}
}

// admits tells why a peer is not admitted; nil: it is.
func (n *Node) admits(p link.Peer) error {
	if n.cfg.Trust == nil {
		return nil
	}
	return n.cfg.Trust.Admits(p)
}

// refusedStranger follows the end of a responder whose peer got no link. That a key was refused is an
// event, and shows at the links to the peer that it claimed to be; the rest is nobody's business but a
// developer's.
func (n *Node) refusedStranger(err error) {
	refused, ok := errors.AsType[*link.RefusedError](err)
	if !ok {
		if err != nil {
			n.log.Debug("establishment failed", "error", err)
		}
		return
	}
	// The text quotes what the stranger shows: it must not be what lines are told apart by (T38).
	n.log.Warn("peer refused", "peer", refused.Peer, "key", refused.Presented.String(), "reason", refused.Refusal.String(), "error", refused.Reason)
	for _, k := range n.ordered() {
		if k.link.Peer == refused.Peer {
			k.post(func(k *keeper) { k.hinted(refused) })
		}
	}
}

// recheck lets the machine judge its peer again.
func (r *runner) recheck() { r.machine.Recheck(r.node.now(), r.node.admits) }
