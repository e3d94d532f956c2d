package daemon

import (
	"errors"

	"pc5d/daemon/link"
	"pc5d/daemon/pc5s"
)

func (r *runner) perform(e link.Effect) {
	r.observe(e)
	switch e := e.(type) {
	case link.Send:
		r.bind()
		r.node.send(r.port, e.To, e.Datagram)
	case link.Authenticated:
		if !r.meet(r.node.keeper(e.Link.Name)) {
			return
		}
		if r.role == link.RoleB && e.Proof != link.ByCertificate {
			r.claimed = &e
			break
		}
		r.met(e)
	case link.InstallUserPlane:
		r.install(e)
	case link.ActivateUserPlane:
		r.activate(e)
	case link.RemoveUserPlane:
		r.node.demux.free(e.Name)
		if r.keeper != nil {
			r.keeper.plane.Retire(planeID(e.Name))
		}
	case link.AddName:
		r.addName(e)
	case link.UseName:
		r.useName(e)
	case link.DropName:
		r.dropName(e.Name)
	case link.PeerMoved:
		r.moved(e)
	case link.WatchPath:
		if r.keeper != nil {
			r.keeper.plane.WatchPath()
		}
	case link.WatchTraffic:
		if r.keeper != nil {
			r.keeper.plane.Arm()
		}
	case link.Agreed:
		if r.claimed != nil {
			r.met(*r.claimed)
		}
		r.arrived()
		if lead := r.lead; lead > 0 { // else it lost, and ends
			r.notify(func(k *keeper) { k.agreed(r, lead, e) })
		}
	case link.Concluded:
		r.notify(func(k *keeper) { k.concluded(r, e) })
	case link.StateChanged:
		if e.To == link.Released && r.lead > 0 {
			r.keeper.lead.leave(r) // before the keeper hears of it
		}
		err := r.machine.Failed()
		r.notify(func(k *keeper) { k.changed(r, e.To, err) })
	case link.Hint:
		r.notify(func(k *keeper) { k.hinted(e.Err) })
	case link.Exchanged:
		at := r.node.now()
		r.notify(func(k *keeper) { k.exchanged(at, e) })
	}
}

// install gives the keys to the engine before anything else happens, so that no packet of the
// peer comes too early, and wipes its copy.
func (r *runner) install(e link.InstallUserPlane) {
	defer e.Wipe()
	if r.keeper == nil {
		return
	}
	c, err := r.keeper.planeContext(e, r.port), error(nil)
	c.Path = r.path.limit(c.Standard != nil)
	if c.Standard != nil {
		defer c.Standard.Wipe()
	}
	if r.installed {
		err = r.keeper.plane.Install(c)
	} else {
		r.installed, r.unheard, r.first = true, r.keeper.plane.Authentic(), e.Name
		err = r.keeper.lead.take(r, c)
	}
	r.check(err)
}

func (r *runner) activate(e link.ActivateUserPlane) {
	switch {
	case r.keeper == nil || e.Name == r.first && r.lead == 0: // it has no link, or lost it, and ends
	case e.Name == r.first:
		r.check(r.keeper.lead.follow(r, planeID(e.Name)))
	default:
		r.check(r.keeper.plane.Activate(planeID(e.Name)))
	}
	if r.keeper != nil && r.lead > 0 {
		r.path.use(e.Name)
	}
}

// check ends a session that lost the link to another one, or whose keys the engine can not use.
func (r *runner) check(err error) {
	switch {
	case errors.Is(err, errReplaced):
		r.machine.Abandon(err)
	case err != nil:
		r.refused(err)
	}
}

// refused ends a link whose keys the engine can not use.
func (r *runner) refused(err error) {
	r.node.log.Error("local: user plane refused the keys", "link", r.keeper.link.Name, "error", err)
	r.machine.Release(r.node.now(), pc5s.CauseLackOfResources)
}
