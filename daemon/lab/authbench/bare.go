package authbench

import (
	"bytes"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/url"
	"time"

	"pc5d/daemon/auth"
)

// bare is a client and a server of crypto/tls with the parameters of package auth, but for the
// judgement of the peer: whoever has any key is let in, which is less work.
type bare struct {
	client, server *tls.Config
	group          tls.CurveID // of the last handshake
}

// newBare takes the keys of two nodes.
func newBare(a, b *end, groups []tls.CurveID) (*bare, error) {
	client, err := bareConfig(a, groups)
	if err != nil {
		return nil, err
	}
	server, err := bareConfig(b, groups)
	return &bare{client: client, server: server}, err
}

func bareConfig(e *end, groups []tls.CurveID) (*tls.Config, error) {
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: now, NotAfter: now.Add(time.Hour), URIs: []*url.URL{auth.NameURI(e.name)},
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, e.key.Public(), e.key)
	if err != nil {
		return nil, fmt.Errorf("certificate of %s: %w", e.name, err)
	}
	return &tls.Config{
		MinVersion:             tls.VersionTLS13,
		MaxVersion:             tls.VersionTLS13,
		NextProtos:             []string{"pc5d/1"},
		Certificates:           []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: e.key}},
		ClientAuth:             tls.RequireAnyClientCert,
		InsecureSkipVerify:     true, // a handshake within this process that protects nothing
		SessionTicketsDisabled: true,
		CurvePreferences:       groups,
	}, nil
}

// handshake runs one, both ends.
func (b *bare) handshake() error {
	up, down := make(chan []byte, flights), make(chan []byte, flights)
	near, far := &pipe{in: down, out: up}, &pipe{in: up, out: down}
	ended := make(chan error, 1)
	go func() {
		err := tls.Server(far, b.server).Handshake()
		far.Close()
		ended <- err
	}()
	client := tls.Client(near, b.client)
	err := client.Handshake()
	near.Close()
	if err := errors.Join(err, <-ended); err != nil {
		return fmt.Errorf("bare handshake: %w", err)
	}
	b.group = client.ConnectionState().CurveID
	return nil
}

// flights bounds what one end of a handshake writes before the other one reads: not even all
// records of a handshake would fill it.
const flights = 32

// pipe is one end of a connection in memory.
type pipe struct {
	in   <-chan []byte
	out  chan<- []byte
	rest []byte
}

func (p *pipe) Read(b []byte) (int, error) {
	if len(p.rest) == 0 {
		var open bool
		if p.rest, open = <-p.in; !open {
			return 0, io.EOF
		}
	}
	n := copy(b, p.rest)
	p.rest = p.rest[n:]
	return n, nil
}

func (p *pipe) Write(b []byte) (int, error) {
	p.out <- bytes.Clone(b)
	return len(b), nil
}

// Close ends writing. It is called once.
func (p *pipe) Close() error {
	close(p.out)
	return nil
}

func (p *pipe) LocalAddr() net.Addr              { return nil }
func (p *pipe) RemoteAddr() net.Addr             { return nil }
func (p *pipe) SetDeadline(time.Time) error      { return nil }
func (p *pipe) SetReadDeadline(time.Time) error  { return nil }
func (p *pipe) SetWriteDeadline(time.Time) error { return nil }
