package metrics

import (
	"strconv"

	"pc5d/daemon/control"
)

// textPerLink is about what a link takes on a page.
const textPerLink = 1600

// status writes all pc5_* families.
func (p *page) status(build Build, s control.Status) error {
	p.text.Grow((1 + len(s.Links)) * textPerLink)
	p.add(gauging, 1, []word{{"version", build.Version}, {"null", strconv.FormatBool(build.Null)}})
	if err := p.end("pc5_build_info", "1, with the version, and whether it is a build without cryptography.", gauging); err != nil {
		return err
	}
	for _, f := range nodeFamilies {
		if err := f.write(p, []control.Status{s}, nil); err != nil {
			return err
		}
	}
	for _, f := range linkFamilies {
		if err := f.write(p, s.Links, linkLabel); err != nil {
			return err
		}
	}
	return nil
}

func linkLabel(l *control.LinkStatus) word { return word{"link", l.Name} }
