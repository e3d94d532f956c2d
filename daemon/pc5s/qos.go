package pc5s

import "fmt"

// QoSFlow is one description in PC5 QoS flow descriptions (TS 24.554, 11.3.5; recalled):
//
//	octet 1    spare (2), PQFI (6)
//	octet 2    operation code (3), spare (5)
//	octet 3    spare (1), E (1), number of parameters (6)
//	then       parameters: identifier (1), length (1), value
type QoSFlow struct {
	PQFI       uint8 // 6 bits
	Operation  QoSOperation
	E          bool // create: parameters follow; modify: they replace all former ones
	Parameters []QoSParameter
}

// QoSParameter is one parameter of a flow. An unknown identifier is legal.
type QoSParameter struct {
	Identifier QoSParameterIdentifier
	Value      []byte
}

// DefaultQoS is the one PC5 QoS flow that is always sent: PQFI 1, create, PQI 1.
func DefaultQoS() []byte { return []byte{0x01, 0x20, 0x41, 0x01, 0x01, 0x01} }

// AppendQoSFlows appends the contents of PC5 QoS flow descriptions. A flow has at most 63
// parameters, a value at most 255 octets.
func AppendQoSFlows(b []byte, flows ...QoSFlow) []byte {
	for _, f := range flows {
		third := byte(len(f.Parameters)) & qosCountMask
		if f.E {
			third |= qosE
		}
		b = append(b, f.PQFI&qosPQFIMask, byte(f.Operation)<<qosOperationShift, third)
		for _, p := range f.Parameters {
			b = append(b, byte(p.Identifier), byte(len(p.Value)))
			b = append(b, p.Value...)
		}
	}
	return b
}

// ParseQoSFlows reads the contents of PC5 QoS flow descriptions. The values alias b; one that is
// longer than defined is cut to what is defined.
func ParseQoSFlows(b []byte) ([]QoSFlow, error) {
	var flows []QoSFlow
	for len(b) > 0 {
		var parameters []QoSParameter
		f, rest, err := readFlow(b, func(p QoSParameter) { parameters = append(parameters, p) })
		if err != nil {
			return nil, fmt.Errorf("pc5s: PC5 QoS flow description %d: %w", len(flows)+1, err)
		}
		f.Parameters = parameters
		flows, b = append(flows, f), rest
	}
	return flows, nil
}

// readFlow takes one description off the front and hands over its parameters.
func readFlow(b []byte, parameter func(QoSParameter)) (f QoSFlow, rest []byte, err error) {
	if len(b) < qosHead {
		return f, nil, errSyntax
	}
	f = QoSFlow{PQFI: b[0] & qosPQFIMask, Operation: QoSOperation(b[1] >> qosOperationShift), E: b[2]&qosE != 0}
	if f.Operation < QoSCreate || f.Operation > QoSModify {
		return f, nil, errReserved
	}
	n := b[2] & qosCountMask
	for b = b[qosHead:]; n > 0; n-- {
		if len(b) < 2 || len(b)-2 < int(b[1]) {
			return f, nil, errSyntax
		}
		p := QoSParameter{QoSParameterIdentifier(b[0]), b[2 : 2+int(b[1]) : 2+int(b[1])]}
		b = b[2+len(p.Value):]
		if defined, ok := qosLengths[p.Identifier]; ok {
			if len(p.Value) < defined {
				return f, nil, errSyntax
			}
			p.Value = p.Value[:defined:defined]
		}
		parameter(p)
	}
	return f, b, nil
}

// qosFlows is an IE of descriptions, checked and then kept as received; empty means absent.
type qosFlows struct{ p *[]byte }

func (f qosFlows) present() bool            { return len(*f.p) > 0 }
func (f qosFlows) appendTo(b []byte) []byte { return append(b, *f.p...) }
func (f qosFlows) parse(b []byte) error {
	for rest := b; len(rest) > 0; {
		var err error
		if _, rest, err = readFlow(rest, func(QoSParameter) {}); err != nil {
			return err
		}
	}
	*f.p = b
	return nil
}
