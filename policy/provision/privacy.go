package provision

import (
	"fmt"
	"time"

	"pc5d/policy"
)

// Lifetime of a layer-2 ID: not shorter than the time that the old one still receives (chosen).
const minUpdate, maxUpdate = 10 * time.Second, 24 * time.Hour

// privacy reads [link.privacy] of a link with this word for signalling ciphering.
func privacy(t *table, ciphering policy.Requirement) Privacy {
	defer t.finish()
	var p Privacy
	p.Identity, _ = t.flag("identity")
	p.Update = t.duration("update", minUpdate, maxUpdate)
	p.Port, _ = t.flag("port")
	if p.Port && !t.written("update") {
		t.doc.missing(t.at("port"), t.name("port")+" needs an update to change with", `write update = "5m"`)
	}
	if ciphering == policy.Required {
		return p
	}
	// TS 24.554, 7.2.4: new identifiers travel in signalling; readable, they hide nothing.
	for _, option := range []struct {
		key string
		on  bool
	}{{"identity", p.Identity}, {"update", p.Update > 0}, {"port", p.Port}} {
		if option.on {
			t.doc.missing(t.at(option.key), fmt.Sprintf("%s needs signalling ciphering, which is %q", t.name(option.key), ciphering), `write ciphering = "required" in [link.signalling]`)
		}
	}
	return p
}
