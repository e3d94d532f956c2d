package auth_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"pc5d/daemon/auth"
	"pc5d/daemon/auth/ca"
	"pc5d/daemon/auth/kei"
	"pc5d/daemon/link"
	"pc5d/policy"
)

// stranger is OpenSSL: an implementation of TLS that nobody here has written. It speaks over a
// Unix socket, and everything between it and this end travels in containers, fragment by fragment.
type stranger struct {
	t   *testing.T
	dir string
}

// exporter is what OpenSSL prints of its exporter; it takes no context, which in TLS 1.3 is the same
// as an empty one (RFC 8446, 7.5).
var exporter = regexp.MustCompile(`Keying material: ([0-9A-F]{64})`)

// newStranger gives OpenSSL a key and a certificate of the fleet.
func newStranger(t *testing.T) (*stranger, *auth.Authentication) {
	t.Helper()
	if _, err := exec.LookPath("openssl"); err != nil {
		t.Skip("openssl is missing: .ci/deps installs it")
	}
	dir, err := os.MkdirTemp("", "pc5") // the path of a Unix socket is short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	s := &stranger{t: t, dir: dir}
	if _, err := ca.Init(s.in("fleet"), "fleet", time.Now()); err != nil {
		t.Fatal(err)
	}
	s.issue("alice", auth.Ed25519)
	s.issue("bob", auth.P256)
	id, err := auth.LoadIdentity(s.in("alice.key"), "alice", time.Now())
	if err == nil {
		id, err = id.LoadCertificate(s.in("alice.crt"))
	}
	if err != nil {
		t.Fatal(err)
	}
	a := auth.New(auth.Config{
		Identity: id, Trust: nobody{}, Certified: func(name string) bool { return name == "bob" }, Now: time.Now, Curves: auth.Classic(),
		Authorities: auth.TrustFiles{CA: []string{s.in("fleet/ca.crt")}, CRL: []string{s.in("fleet/ca.crl")}}.Load,
	})
	if err := a.Reload(); err != nil {
		t.Fatal(err)
	}
	return s, a
}

type nobody struct{}

func (nobody) Pinned(string) []policy.Fingerprint { return nil }

func (s *stranger) in(name string) string { return filepath.Join(s.dir, name) }

func (s *stranger) issue(name string, kind auth.KeyType) {
	s.t.Helper()
	if _, err := auth.GenerateKeyOf(kind, s.in(name+".key")); err != nil {
		s.t.Fatal(err)
	}
	public, err := auth.PublicKey(s.in(name + ".key"))
	if err != nil {
		s.t.Fatal(err)
	}
	fleet, err := ca.Open(s.in("fleet"), time.Now())
	if err != nil {
		s.t.Fatal(err)
	}
	defer fleet.Close()
	text, err := fleet.Issue(name, public, 1)
	if err != nil {
		s.t.Fatal(err)
	}
	if err := os.WriteFile(s.in(name+".crt"), text, 0o600); err != nil {
		s.t.Fatal(err)
	}
}

// start runs OpenSSL as bob in one part. The function that it returns waits for its end.
func (s *stranger) start(part string, args ...string) (ended func() string) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	c := exec.CommandContext(ctx, "openssl", append([]string{
		part, "-tls1_3", "-unix", s.in("socket"), "-cert", s.in("bob.crt"), "-key", s.in("bob.key"), "-CAfile", s.in("fleet/ca.crt"),
		"-alpn", "pc5d/1", "-groups", "X25519", "-keymatexport", "EXPERIMENTAL-pc5d-knrp-v1", "-keymatexportlen", "32", "-verify_return_error",
	}, args...)...)
	var output bytes.Buffer
	c.Stdout, c.Stderr = &output, &output
	in, err := c.StdinPipe()
	if err != nil {
		s.t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		s.t.Fatal(err)
	}
	ended = sync.OnceValue(func() string {
		in.Close() // the end of a client; a server ends with its one connection
		_ = c.Wait()
		cancel()
		return output.String()
	})
	s.t.Cleanup(func() {
		cancel()
		ended()
	})
	return ended
}

// speak carries a handshake over a connection until it is complete or has failed. What OpenSSL
// writes and what this end says both go through containers, a fragment at a time.
func (s *stranger) speak(h link.Handshake, conn net.Conn, flight []byte, err error) error {
	s.t.Helper()
	defer conn.Close()
	octets := make([]byte, kei.MaxTotal)
	for {
		if _, werr := conn.Write(carried(s.t, flight)); werr != nil {
			return werr
		}
		if err != nil || h.Complete() {
			return err
		}
		conn.SetReadDeadline(time.Now().Add(10 * time.Second))
		n, rerr := conn.Read(octets)
		if rerr != nil {
			return rerr
		}
		flight, err = h.Feed(carried(s.t, octets[:n]))
	}
}

// carried takes a flight through containers, fragment by fragment, and collects it again.
func carried(t *testing.T, flight []byte) []byte {
	t.Helper()
	if len(flight) == 0 {
		return nil
	}
	var in kei.Reassembly
	for out := kei.NewOutgoing(bytes.Clone(flight)); !out.Done(); {
		c := &kei.Container{Method: kei.TLS13}
		out.Fill(c)
		octets := c.AppendTo(nil)
		parsed, err := kei.Parse(octets)
		if err != nil || len(octets) > kei.MaxLen {
			t.Fatalf("a container of %d octets: %v", len(octets), err)
		}
		if whole, err := in.Add(parsed); err != nil || whole != out.Done() {
			t.Fatalf("reassembly: %v, whole %v", err, whole)
		}
	}
	return in.Flight()
}

// agrees compares the exporter, without a context, because OpenSSL's tools have none to give.
func (s *stranger) agrees(h link.Handshake, output string) {
	s.t.Helper()
	if p := h.Peer(); p.Name != "bob" || h.CertificateEnd().IsZero() {
		s.t.Errorf("the peer is %v until %v", p, h.CertificateEnd())
	}
	want, err := h.ExportKNRP(nil)
	if err != nil {
		s.t.Fatal(err)
	}
	got := exporter.FindStringSubmatch(output)
	if got == nil || !strings.EqualFold(got[1], hex.EncodeToString(want.Bytes())) {
		s.t.Errorf("exporter %x, OpenSSL says:\n%s", want.Bytes(), output)
	}
}

// call makes this end UE_A towards OpenSSL.
func (s *stranger) call(alice *auth.Authentication) (h link.Handshake, output string, err error) {
	s.t.Helper()
	ended := s.start("s_server", "-Verify", "4", "-naccept", "1", "-num_tickets", "0")
	var conn net.Conn
	for limit := time.Now().Add(10 * time.Second); conn == nil; {
		if conn, err = net.Dial("unix", s.in("socket")); err != nil {
			if time.Now().After(limit) {
				s.t.Fatalf("OpenSSL does not listen: %v\n%s", err, ended())
			}
			time.Sleep(5 * time.Millisecond) // OpenSSL tells nobody when it listens
		}
	}
	if h, err = alice.Initiate("bob", nil); err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(h.Close)
	flight, err := h.Feed(nil)
	err = s.speak(h, conn, flight, err)
	return h, ended(), err
}

// answer makes this end UE_B of OpenSSL.
func (s *stranger) answer(alice *auth.Authentication) (h link.Handshake, output string, err error) {
	s.t.Helper()
	listener, err := net.Listen("unix", s.in("socket"))
	if err != nil {
		s.t.Fatal(err)
	}
	defer listener.Close()
	listener.(*net.UnixListener).SetDeadline(time.Now().Add(10 * time.Second))
	ended := s.start("s_client", "-verify", "4")
	conn, err := listener.Accept()
	if err != nil {
		s.t.Fatalf("OpenSSL does not call: %v\n%s", err, ended())
	}
	if h, err = alice.Respond(); err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(h.Close)
	err = s.speak(h, conn, nil, nil)
	return h, ended(), err
}

// TestInterop_OpenSSLServer: this end is UE_A. Both verify the other's certificate.
func TestInterop_OpenSSLServer(t *testing.T) {
	s, alice := newStranger(t)
	h, output, err := s.call(alice)
	if err != nil {
		t.Fatalf("%v, OpenSSL says:\n%s", err, output)
	}
	s.agrees(h, output)
}

// TestInterop_OpenSSLClient: this end is UE_B. Both verify the other's certificate.
func TestInterop_OpenSSLClient(t *testing.T) {
	s, alice := newStranger(t)
	h, output, err := s.answer(alice)
	if err != nil {
		t.Fatalf("%v, OpenSSL says:\n%s", err, output)
	}
	s.agrees(h, output)
}

// TestInterop_OpenSSLRevoked: OpenSSL's certificate is revoked, and it sees an alert that does not
// say so.
func TestInterop_OpenSSLRevoked(t *testing.T) {
	for name, meet := range map[string]func(*stranger, *auth.Authentication) (link.Handshake, string, error){
		"server": (*stranger).call, "client": (*stranger).answer,
	} {
		t.Run(name, func(t *testing.T) {
			s, alice := newStranger(t)
			fleet, err := ca.Open(s.in("fleet"), time.Now())
			if err != nil {
				t.Fatal(err)
			}
			_, err = fleet.Revoke("bob")
			fleet.Close()
			if err := errors.Join(err, alice.Reload()); err != nil {
				t.Fatal(err)
			}
			_, output, err := meet(s, alice)
			var refused *link.RefusedError
			if !errors.As(err, &refused) || refused.Refusal != link.RefusedRevoked {
				t.Errorf("got %v", err)
			}
			if !strings.Contains(output, "alert bad certificate") || strings.Contains(output, "revoked") {
				t.Errorf("OpenSSL says:\n%s", output)
			}
		})
	}
}
