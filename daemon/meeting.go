package daemon

import "errors"

// earlyNotices bounds what an unknown peer makes us remember.
const earlyNotices = 64

// errRemoved ends the machine of a link that was removed while its peer authenticated.
var errRemoved = errors.New("the link was removed")

// meet gives a responder the keeper of the link that its peer turned out to belong to. A link that
// was removed meanwhile has none: the machine ends, and what it has yet to say finds no keeper.
func (r *runner) meet(k *keeper) bool {
	if r.keeper != nil {
		return true
	}
	if k == nil {
		r.machine.Abandon(errRemoved)
		return false
	}
	r.keeper = k
	for _, tell := range r.early {
		k.post(tell)
	}
	r.early = nil
	return true
}

// notify tells the keeper; before it is known, the notices are kept for it.
func (r *runner) notify(tell func(*keeper)) {
	if r.keeper != nil {
		r.keeper.post(tell)
		return
	}
	if len(r.early) < earlyNotices {
		r.early = append(r.early, tell)
	}
}
