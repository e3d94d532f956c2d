package dataplane

import (
	"errors"

	"pc5d/dataplane/pdcp"
	"pc5d/dataplane/record"
	"pc5d/dataplane/suite"
)

// Limits of the standard form, chosen (T55): its COUNT has 32 bits, its MAC-I 32.
const (
	softCountStandard = 1 << 31
	failuresStandard  = 1 << 16
)

var errBothForms = errors.New("a context has one form of user data, not two")

// suites makes the protection of both directions.
func (c *Context) suites() (send, receive suite.Suite, err error) {
	if c.Standard != nil {
		return c.standardSuites()
	}
	if send, err = suite.New(c.Suite, c.Mode, c.SendKey, c.SendSalt); err != nil {
		return nil, nil, err
	}
	if receive, err = suite.New(c.Suite, c.Mode, c.RecvKey, c.RecvSalt); err != nil {
		return nil, nil, err
	}
	return send, receive, nil
}

// standardSuites are those of the standard form: the same keys under both DIRECTIONs.
func (c *Context) standardSuites() (send, receive suite.Suite, err error) {
	if c.Suite != suite.None {
		return nil, nil, errBothForms
	}
	s := *c.Standard
	defer s.Wipe()
	if send, err = suite.NewStandard(s, c.Mode); err != nil {
		return nil, nil, err
	}
	s.Direction = 1 - c.Standard.Direction
	if receive, err = suite.NewStandard(s, c.Mode); err != nil {
		return nil, nil, err
	}
	return send, receive, nil
}

// limits are those of the context's keys.
func (c *Context) limits() Limits {
	if c.Standard == nil {
		return c.Limits.of(c.Suite, c.Mode)
	}
	return c.Limits.ofStandard(c.Mode)
}

// ofStandard fills in the defaults of the standard form. Its blocks are counted as those of records: no
// bound of its algorithms is nearer.
func (l Limits) ofStandard(mode suite.Mode) Limits {
	or := func(field *record.Count, value record.Count) {
		if *field == 0 {
			*field = value
		}
	}
	or(&l.SoftCount, softCountStandard)
	or(&l.HardCount, pdcp.DataLimit)
	l.HardCount = min(l.HardCount, pdcp.DataLimit)
	if l.Failures == 0 && mode.Authentic() {
		l.Failures = failuresStandard
	}
	return l.of(suite.None, mode)
}

// bare tells whether nothing protects the context's PDUs: their K_NRP-sess ID is 0 (TS 38.323, 6.3.13).
func (k *keyContext) bare() bool { return k.standard && k.receive.mode == suite.Unprotected }

// session is the K_NRP-sess ID that PDUs are sent under.
func (k *keyContext) session(id ContextID) uint16 {
	if k.bare() {
		return 0
	}
	return id.Session
}

// bare is the word of a PDU that nothing protects.
func (w contextWord) bare() contextWord { return w &^ 0xFFFF }
