package link

import (
	"bytes"
	"encoding/hex"
	"os"
	"strings"
	"testing"
	"time"

	"pc5d/daemon/auth/kei"
	"pc5d/daemon/keys"
	"pc5d/daemon/pc5s"
	"pc5d/dataplane/nea"
	"pc5d/dataplane/pdcp"
	"pc5d/dataplane/record"
	"pc5d/dataplane/suite"
	"pc5d/dataplane/underlay"
)

const (
	exampleA underlay.LayerTwoID = 0x0A0A0A
	exampleB underlay.LayerTwoID = 0x0B0B0B
)

// examples are the datagrams of docs/wire.md: name -> octets.
func examples(t *testing.T) map[string][]byte {
	t.Helper()
	text, err := os.ReadFile("../../docs/wire.md")
	if err != nil {
		t.Fatal(err)
	}
	found := map[string][]byte{}
	for line := range strings.Lines(string(text)) {
		name, dump, ok := strings.Cut(strings.TrimSpace(line), " = ")
		if !ok || !strings.HasPrefix(line, "    ") {
			continue
		}
		b, err := hex.DecodeString(strings.ReplaceAll(strings.TrimSpace(dump), " ", ""))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		found[name] = b
	}
	return found
}

// exampleContext is one end's half of the context that the page describes: K_NRP 00 01 .. 1f,
// Nonce_1 sixteen times 01, Nonce_2 sixteen times 02, NEA2, NIA2, AES-128-GCM.
func exampleContext(t *testing.T, direction uint8) *securityContext {
	t.Helper()
	return exampleWith(t, direction, nea.NEA2, nea.NIA2)
}

// exampleWith is the same with other algorithms, which make other keys.
func exampleWith(t *testing.T, direction uint8, ciphering nea.Ciphering, integrity nea.Integrity) *securityContext {
	t.Helper()
	var knrp [32]byte
	for i := range knrp {
		knrp[i] = byte(i)
	}
	c, err := newSecurityContext(time.Time{}, keys.KNRP{Secret: keys.NewSecret(knrp[:])}, contextParameters{
		name: Name{Session: 0x5356}, direction: direction, ciphering: ciphering, integrity: integrity, suite: suite.AES128GCM,
		nonce1: keys.Nonce(bytes.Repeat([]byte{1}, 16)), nonce2: keys.Nonce(bytes.Repeat([]byte{2}, 16)),
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestWireDocument_Datagrams makes every example datagram of docs/wire.md anew, octet for
// octet, and opens it at the other end.
func TestWireDocument_Datagrams(t *testing.T) {
	doc := examples(t)
	a, b := exampleContext(t, 0), exampleContext(t, 1)
	release := pc5s.Marshal(&pc5s.DirectLinkReleaseRequest{Cause: pc5s.CauseNoLongerNeeded, KNRPIDMSBs: 0x1234})
	toA := underlay.Header{Form: underlay.FormPDCP, Destination: exampleA, Source: exampleB, LCID: underlay.SRB1}
	toB := underlay.Header{Form: underlay.FormPDCP, Destination: exampleB, Source: exampleA, LCID: underlay.SRB1}

	clear, err := b.srb1.Seal(toA.AppendTo(nil), release, pdcp.Clear)
	expect(t, doc, "SL-SRB1, clear", clear, err)
	sdu, err := a.srb1.Open(clear[underlay.HeaderLen:], pdcp.Clear)
	same(t, "SL-SRB1, clear", sdu, release, err)

	ciphered, err := a.srb1.Seal(toB.AppendTo(nil), release, pdcp.Ciphered)
	expect(t, doc, "SL-SRB1, ciphered", ciphered, err)
	sdu, err = b.srb1.Open(ciphered[underlay.HeaderLen:], pdcp.Ciphered)
	same(t, "SL-SRB1, ciphered", sdu, release, err)

	toB.LCID = underlay.SRB2
	signalling, err := a.sealer.Seal(nil, toB, release)
	expect(t, doc, "SL-SRB2, record", signalling, err)
	sdu, err = b.opener.Open(signalling)
	same(t, "SL-SRB2, record", sdu, release, err)

	toB.LCID = underlay.SRB0
	unprotected := pdcp.AppendUnprotected(toB.AppendTo(nil), 7, release)
	expect(t, doc, "SL-SRB0", unprotected, nil)
	_, sdu, err = pdcp.ParseUnprotected(unprotected[underlay.HeaderLen:])
	same(t, "SL-SRB0", sdu, release, err)
}

// TestWireDocument_R20_Algorithms does the same for the algorithms that are not AES: from K_NRP to the
// octets on the wire.
func TestWireDocument_R20_Algorithms(t *testing.T) {
	doc := examples(t)
	release := pc5s.Marshal(&pc5s.DirectLinkReleaseRequest{Cause: pc5s.CauseNoLongerNeeded, KNRPIDMSBs: 0x1234})
	toB := underlay.Header{Form: underlay.FormPDCP, Destination: exampleB, Source: exampleA, LCID: underlay.SRB1}
	for name, n := range map[string]uint8{"SL-SRB1, NEA1 and NIA1": 1, "SL-SRB1, NEA3 and NIA3": 3} {
		a := exampleWith(t, 0, nea.Ciphering(n), nea.Integrity(n))
		b := exampleWith(t, 1, nea.Ciphering(n), nea.Integrity(n))
		ciphered, err := a.srb1.Seal(toB.AppendTo(nil), release, pdcp.Ciphered)
		expect(t, doc, name, ciphered, err)
		sdu, err := b.srb1.Open(ciphered[underlay.HeaderLen:], pdcp.Ciphered)
		same(t, name, sdu, release, err)
	}
}

// TestWireDocument_UserRecord does the same for a record of user data.
func TestWireDocument_UserRecord(t *testing.T) {
	doc := examples(t)
	packet := []byte("any IP packet")
	send := keys.DeriveRecordKey(exampleContext(t, 0).sess, keys.UserPlane, 1, 0x11, 0, suite.AES128GCM.KeyLen())
	s, err := suite.New(suite.AES128GCM, suite.AEAD, send.Key.Bytes(), send.Salt)
	if err != nil {
		t.Fatal(err)
	}
	content := record.AppendPad(record.AppendPacket(nil, packet), 0)
	header := underlay.Header{Destination: exampleB, Source: exampleA, LCID: underlay.DRB}
	sealed, err := record.NewSealer(s, 0x5356).Seal(nil, header, content)
	expect(t, doc, "SL-DRB, record", sealed, err)

	opened, err := record.NewOpener(s, record.DefaultWindow).Open(sealed)
	same(t, "SL-DRB, record", opened, content, err)
	frames := record.NewFrames(opened)
	if !frames.Next() || frames.Type() != record.FramePacket {
		t.Fatal("the record holds no PACKET frame")
	}
	same(t, "frame", frames.Payload(), packet, frames.Err())
}

// TestWireDocument_T59_Frames does the same for the frames of long packets and of probes.
func TestWireDocument_T59_Frames(t *testing.T) {
	doc := examples(t)
	packet := []byte("any IP packet")
	for name, f := range map[string]record.Fragment{"FRAGMENT, first": {ID: 0x01020304, Total: 13}, "FRAGMENT, second": {ID: 0x01020304, Total: 13, Offset: 7}} {
		part := packet[f.Offset:min(f.Offset+7, len(packet))]
		b := make([]byte, record.FragmentHeaderLen)
		f.Put(b, len(part))
		expect(t, doc, name, append(b, part...), nil)
		frames := record.NewFrames(record.AppendPad(doc[name], 0))
		if !frames.Next() || frames.Type() != record.FrameFragment {
			t.Fatalf("%s is none", name)
		}
		got, octets, ok := frames.Fragment()
		if !ok || got != f {
			t.Errorf("%s is read as %+v, %v", name, got, ok)
		}
		same(t, name, octets, part, frames.Err())
	}
	token := record.Token{0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88}
	for name, e := range map[string]record.Echo{"ECHO, request": {Token: token}, "ECHO, answer": {Token: token, Answer: true}} {
		expect(t, doc, name, e.AppendTo(nil), nil)
		frames := record.NewFrames(record.AppendPad(doc[name], 0))
		if !frames.Next() || frames.Type() != record.FrameEcho {
			t.Fatalf("%s is none", name)
		}
		if got, ok := frames.Echo(); !ok || got != e {
			t.Errorf("%s is read as %+v, %v", name, got, ok)
		}
	}
}

// TestWireDocument_R19_UserPDU does the same for PDUs of user data: with each pair of algorithms, and in each mode.
func TestWireDocument_R19_UserPDU(t *testing.T) {
	doc := examples(t)
	packet := []byte("any IP packet")
	for _, e := range []struct {
		name      string
		algorithm uint8
		mode      suite.Mode
		session   uint16
	}{
		{"SL-DRB, both", 2, suite.AEAD, 0x5356},
		{"SL-DRB, integrity only", 2, suite.IntegrityOnly, 0x5356},
		{"SL-DRB, ciphering only", 2, suite.CipheringOnly, 0x5356},
		{"SL-DRB, neither", 2, suite.Unprotected, 0},
		{"SL-DRB, NEA1 and NIA1", 1, suite.AEAD, 0x5356},
		{"SL-DRB, NEA3 and NIA3", 3, suite.AEAD, 0x5356},
	} {
		c, i := nea.Ciphering(e.algorithm), nea.Integrity(e.algorithm)
		sess := exampleWith(t, 0, c, i).sess
		s, err := suite.NewStandard(suite.Standard{
			Ciphering: c, Integrity: i, NRPEK: keys.DeriveNRPEK(sess, c).Key128(), NRPIK: keys.DeriveNRPIK(sess, i).Key128(), Bearer: uint8(underlay.DRB),
		}, e.mode)
		if err != nil {
			t.Fatal(err)
		}
		const count = 0x12345
		b := underlay.Header{Form: underlay.FormPDCP, Destination: exampleB, Source: exampleA, LCID: underlay.DRB}.AppendTo(nil)
		b = pdcp.DataHeader{SN: pdcp.SNOf(count), Session: e.session}.AppendTo(b)
		sealed := []suite.Item{{Count: count, AAD: b[underlay.HeaderLen:], Text: packet, Dst: make([]byte, 0, len(packet)+s.TagLen())}}
		s.Seal(sealed)
		expect(t, doc, e.name, append(b, sealed[0].Dst...), nil)

		if len(doc[e.name]) < len(b) {
			continue
		}
		pdu := doc[e.name][underlay.HeaderLen:]
		opened := []suite.Item{{Count: count, AAD: pdu[:pdcp.DataHeaderLen], Text: pdu[pdcp.DataHeaderLen:], Dst: make([]byte, 0, len(pdu))}}
		s.Open(opened)
		same(t, e.name, opened[0].Dst, packet, nil)
	}
}

// TestWireDocument_Containers does the same for the container of Key_Est_Info.
func TestWireDocument_Containers(t *testing.T) {
	doc := examples(t)
	request := []byte("request")
	offer := kei.Offer{Methods: []kei.Method{kei.TLS13}, Padding: 2}
	expect(t, doc, "offer", offer.AppendTo(nil), nil)
	if got, err := kei.ParseOffer(doc["offer"]); err != nil || got.Padding != 2 || len(got.Methods) != 1 || got.Methods[0] != kei.TLS13 {
		t.Errorf("offer parsed as %+v, %v", got, err)
	}
	for name, c := range map[string]kei.Container{
		"cookie":          {Method: kei.TLS13, Start: true, Tag: kei.Tag(request), HasCookie: true, Cookie: []byte{1, 2, 3, 4}},
		"first fragment":  {Method: kei.TLS13, Tag: kei.Tag(request), HasTotal: true, Total: 9, More: true, HasCookie: true, Cookie: []byte{1, 2, 3, 4}, HasRequest: true, Request: request, Fragment: []byte("hello")},
		"acknowledgement": {Method: kei.TLS13, Exchange: 1, Tag: kei.Tag(request), AckOnly: true},
	} {
		expect(t, doc, name, c.AppendTo(nil), nil)
		got, err := kei.Parse(doc[name])
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		same(t, name, got.AppendTo(nil), c.AppendTo(nil), nil)
	}
}

// TestWireDocument_PSKDHE does the same for what a re-keying adds.
func TestWireDocument_PSKDHE(t *testing.T) {
	doc := examples(t)
	e1, e2, binder := [kei.ShareLen]byte(bytes.Repeat([]byte{1}, 32)), [kei.ShareLen]byte(bytes.Repeat([]byte{2}, 32)), [kei.ProofLen]byte(bytes.Repeat([]byte{3}, 16))
	offer := kei.Offer{Methods: []kei.Method{kei.PSKDHE}, Share: &e1, Binder: &binder}
	expect(t, doc, "psk-dhe offer", offer.AppendTo(nil), nil)
	if got, err := kei.ParseOffer(doc["psk-dhe offer"]); err != nil || *got.Share != e1 || *got.Binder != binder {
		t.Errorf("psk-dhe offer parsed as %+v, %v", got, err)
	}
	invited := kei.Offer{Methods: []kei.Method{kei.TLS13}, Invite: &binder}
	expect(t, doc, "invite offer", invited.AppendTo(nil), nil)
	if got, err := kei.ParseOffer(doc["invite offer"]); err != nil || *got.Invite != binder || got.Binder != nil {
		t.Errorf("invite offer parsed as %+v, %v", got, err)
	}
	command := kei.Command{Tag: kei.Tag([]byte("request")), Share: e2}
	expect(t, doc, "psk-dhe command", command.AppendTo(nil), nil)
	if got, err := kei.ParseCommand(doc["psk-dhe command"]); err != nil || *got != command {
		t.Errorf("psk-dhe command parsed as %+v, %v", got, err)
	}
	hint := underlay.Header{Form: underlay.FormHint, Destination: exampleA, Source: exampleB, LCID: underlay.SRB2}
	expect(t, doc, "hint", hint.AppendTo(nil), nil)
}

func expect(t *testing.T, doc map[string][]byte, name string, got []byte, err error) {
	t.Helper()
	if err != nil || !bytes.Equal(got, doc[name]) {
		t.Errorf("docs/wire.md says of %q %x, the code makes\n    %s = %x (%v)", name, doc[name], name, got, err)
	}
}

func same(t *testing.T, name string, got, want []byte, err error) {
	t.Helper()
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("%s: got %x, want %x, error %v", name, got, want, err)
	}
}
