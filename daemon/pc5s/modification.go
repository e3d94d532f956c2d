package pc5s

// DirectLinkModificationRequest changes the services or the QoS flows of a link.
type DirectLinkModificationRequest struct {
	SequenceNumber
	Operation           LinkModificationOperation
	ProSeIdentifiers    []byte
	QoSFlowDescriptions []byte
}

func (*DirectLinkModificationRequest) Type() MessageType { return MessageDirectLinkModificationRequest }

func (m *DirectLinkModificationRequest) rows() table {
	return table{
		{"link modification operation code", formatV, 0, 1, 1, recalled, operation{&m.Operation}},
		{"ProSe identifiers", formatTLVE, ieiProSeIdentifiers, 1, open, chosen, identifiers{&m.ProSeIdentifiers}},
		{"QoS flow descriptions", formatTLVE, ieiQoSFlowDescriptions, minQoSFlowDescriptions, open, recalled, qosFlows{&m.QoSFlowDescriptions}},
	}
}

// DirectLinkModificationAccept answers it.
type DirectLinkModificationAccept struct {
	SequenceNumber
	QoSFlowDescriptions []byte
}

func (*DirectLinkModificationAccept) Type() MessageType { return MessageDirectLinkModificationAccept }

func (m *DirectLinkModificationAccept) rows() table {
	return table{
		{"QoS flow descriptions", formatTLVE, ieiQoSFlowDescriptions, minQoSFlowDescriptions, open, recalled, qosFlows{&m.QoSFlowDescriptions}},
	}
}

// DirectLinkModificationReject refuses it.
type DirectLinkModificationReject struct {
	SequenceNumber
	Cause Cause
}

func (*DirectLinkModificationReject) Type() MessageType { return MessageDirectLinkModificationReject }

func (m *DirectLinkModificationReject) rows() table { return rejection(recalled, &m.Cause) }

type operation struct{ p *LinkModificationOperation }

func (f operation) present() bool            { return true }
func (f operation) appendTo(b []byte) []byte { return append(b, byte(*f.p)) }
func (f operation) parse(b []byte) error {
	o := LinkModificationOperation(b[0])
	if o < ModificationAssociateServices || o > ModificationRemoveFlows {
		return errReserved
	}
	*f.p = o
	return nil
}
