package sim

import (
	"reflect"

	"pc5d/daemon/auth/kei"
	"pc5d/daemon/pc5s"
)

// Splice puts a part of another message that was heard into a message, and sends it the same
// way: an IE of the same name, or a part of the container inside.
func (a *Attacker) Splice(d Datagram) {
	h, m := clearMessage(d)
	if m == nil {
		return
	}
	var others []pc5s.Message
	for _, o := range a.recent(200) {
		if _, other := clearMessage(o); other != nil {
			others = append(others, other)
		}
	}
	other := others[a.world.rand.IntN(len(others))] // d itself is one
	if a.world.chance(0.5) {
		a.graft(reflect.ValueOf(m).Elem(), reflect.ValueOf(other).Elem())
	} else {
		a.graftContainer(m, other)
	}
	a.world.Network.Inject(inClear(d, h, m))
}

// graft replaces one field by the other's of the same name and type.
func (a *Attacker) graft(into, from reflect.Value) {
	var common []string
	for i := range into.NumField() {
		f := into.Type().Field(i)
		if o, ok := from.Type().FieldByName(f.Name); ok && o.Type == f.Type && f.IsExported() {
			common = append(common, f.Name)
		}
	}
	if len(common) == 0 {
		return
	}
	name := common[a.world.rand.IntN(len(common))]
	into.FieldByName(name).Set(from.FieldByName(name))
}

// graftContainer does so inside the key establishment information container.
func (a *Attacker) graftContainer(into, from pc5s.Message) {
	x, y := containerOf(into), containerOf(from)
	if !x.IsValid() || !y.IsValid() {
		return
	}
	c, err := kei.Parse(x.Bytes())
	if err != nil {
		return
	}
	o, err := kei.Parse(y.Bytes())
	if err != nil {
		return
	}
	a.graft(reflect.ValueOf(c).Elem(), reflect.ValueOf(o).Elem())
	x.SetBytes(c.AppendTo(nil))
}

func containerOf(m pc5s.Message) reflect.Value {
	return reflect.ValueOf(m).Elem().FieldByName("KeyEstablishmentInfo")
}
