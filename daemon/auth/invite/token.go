package invite

import (
	"bytes"
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/crypto/cryptobyte"

	"pc5d/daemon/keys"
	"pc5d/policy"
)

const (
	// SecretLen is the length of an invite's secret.
	SecretLen = 16
	// MaxAddresses is how many addresses either end may have in a token.
	MaxAddresses = 4

	version     = 1
	prefix      = "PC5I"
	checksumLen = 4
	maxName     = 128
	maxText     = 1024
)

// encoding has the letters that a QR code takes at its best and that survive a telephone.
var encoding = base32.StdEncoding.WithPadding(base32.NoPadding)

// ErrToken says that a text is no whole token.
var ErrToken = errors.New("this is no whole token: copy all of what pc5ctl invite printed")

// Token is what the joiner gets.
type Token struct {
	Name     string // the inviter's application layer ID
	Key      policy.Fingerprint
	Endpoint netip.AddrPort // where the inviter listens
	Secret   keys.Secret    // SecretLen octets
	Expires  time.Time      // whole seconds
	Inviter  []netip.Addr   // inside the link
	Joiner   []netip.Addr
}

// Text writes a token as people carry it: a prefix, then base32 of version, contents and checksum. A
// token that Check refuses has none.
func (t Token) Text() (string, error) {
	if err := t.Check(); err != nil {
		return "", err
	}
	var b cryptobyte.Builder
	b.AddUint8(version)
	b.AddBytes(t.Secret.Bytes())
	b.AddBytes(t.Key[:])
	b.AddUint64(uint64(t.Expires.Unix()))
	b.AddUint8LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes([]byte(t.Name)) })
	addAddress(&b, t.Endpoint.Addr())
	b.AddUint16(t.Endpoint.Port())
	for _, list := range [][]netip.Addr{t.Inviter, t.Joiner} {
		b.AddUint8(uint8(len(list)))
		for _, a := range list {
			addAddress(&b, a)
		}
	}
	octets, err := b.Bytes()
	if err != nil {
		return "", fmt.Errorf("token: %w", err)
	}
	defer clear(octets)
	sum := sha256.Sum256(octets)
	return prefix + encoding.EncodeToString(append(octets, sum[:checksumLen]...)), nil
}

func addAddress(b *cryptobyte.Builder, a netip.Addr) {
	b.AddUint8LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes(a.AsSlice()) })
}

// Parse reads what Text wrote, in letters of either case and with white space where a line was
// broken. A token of another version or with anything wrong in it is refused whole.
func Parse(text string) (Token, error) {
	if len(text) > maxText {
		return Token{}, ErrToken
	}
	text = strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) {
			return -1
		}
		return r
	}, strings.ToUpper(text))
	encoded, ok := strings.CutPrefix(text, prefix)
	if !ok {
		return Token{}, ErrToken
	}
	octets, err := encoding.DecodeString(encoded)
	if err != nil || len(octets) <= checksumLen || encoding.EncodeToString(octets) != encoded {
		return Token{}, ErrToken
	}
	defer clear(octets)
	octets, checksum := octets[:len(octets)-checksumLen], octets[len(octets)-checksumLen:]
	if sum := sha256.Sum256(octets); !bytes.Equal(sum[:checksumLen], checksum) {
		return Token{}, ErrToken
	}
	if octets[0] != version {
		return Token{}, fmt.Errorf("the token has version %d, this pc5d reads version %d: update it", octets[0], version)
	}
	t, ok := parse(octets[1:])
	if !ok {
		return Token{}, ErrToken
	}
	return t, t.Check()
}

func parse(octets []byte) (t Token, ok bool) {
	s := cryptobyte.String(octets)
	secret := make([]byte, SecretLen)
	var expires uint64
	var name cryptobyte.String
	var endpoint netip.Addr
	var port uint16
	ok = s.CopyBytes(secret) && s.CopyBytes(t.Key[:]) && s.ReadUint64(&expires) && s.ReadUint8LengthPrefixed(&name) &&
		readAddress(&s, &endpoint) && s.ReadUint16(&port) && readAddresses(&s, &t.Inviter) && readAddresses(&s, &t.Joiner) && s.Empty()
	if !ok || expires > 1<<40 {
		clear(secret)
		return Token{}, false
	}
	t.Secret, t.Name, t.Expires, t.Endpoint = keys.NewSecret(secret), string(name), time.Unix(int64(expires), 0), netip.AddrPortFrom(endpoint, port)
	return t, true
}

func readAddress(s *cryptobyte.String, into *netip.Addr) bool {
	var b cryptobyte.String
	if !s.ReadUint8LengthPrefixed(&b) {
		return false
	}
	var ok bool
	*into, ok = netip.AddrFromSlice(b)
	return ok
}

func readAddresses(s *cryptobyte.String, into *[]netip.Addr) bool {
	var n uint8
	if !s.ReadUint8(&n) || n > MaxAddresses {
		return false
	}
	for range n {
		var a netip.Addr
		if !readAddress(s, &a) {
			return false
		}
		*into = append(*into, a)
	}
	return true
}

// Check tells what is wrong with a token: both who makes one and who takes one up ask. Addresses
// inside the link are private ones (RFC 1918, RFC 4193), so that no token leads the traffic to
// somebody else's address into a link.
func (t Token) Check() error {
	switch {
	case len(t.Secret.Bytes()) != SecretLen:
		return fmt.Errorf("token: the secret has %d octets, not %d", len(t.Secret.Bytes()), SecretLen)
	case !ValidName(t.Name):
		return fmt.Errorf("token: the name %q is no 1 to %d octets of printable UTF-8", t.Name, maxName)
	case !reachable(t.Endpoint):
		return fmt.Errorf("token: the endpoint %s is not the address and port of one host", t.Endpoint)
	case len(t.Inviter) == 0 || len(t.Joiner) == 0 || len(t.Inviter) > MaxAddresses || len(t.Joiner) > MaxAddresses:
		return fmt.Errorf("token: each end has 1 to %d addresses, not %d and %d", MaxAddresses, len(t.Inviter), len(t.Joiner))
	}
	seen := map[netip.Addr]bool{}
	for _, list := range [][]netip.Addr{t.Inviter, t.Joiner} {
		for _, a := range list {
			if !a.IsPrivate() || a.Is4In6() || a.Zone() != "" || seen[a] || a == t.Endpoint.Addr() {
				return fmt.Errorf("token: %s is no private address that only one end of the link has (10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16 or fd00::/8)", a)
			}
			seen[a] = true
		}
	}
	return nil
}

func reachable(e netip.AddrPort) bool {
	a := e.Addr()
	return e.Port() != 0 && a.IsValid() && !a.Is4In6() && a.Zone() == "" && !a.IsUnspecified() && !a.IsMulticast() && a != netip.AddrFrom4([4]byte{255, 255, 255, 255})
}

// ValidName tells whether a name may become a link's peer by an invite: people see it on terminals
// and it stands in files (T39).
func ValidName(name string) bool {
	return name != "" && len(name) <= maxName && utf8.ValidString(name) && strings.IndexFunc(name, func(r rune) bool { return !unicode.IsPrint(r) }) < 0
}

// addressLabel makes the automatic addresses.
const addressLabel = "pc5d/1 invite addresses"

// Addresses are the addresses inside the link where nobody chose any: fd05, 48 bits that follow from
// the secret, and 1 for the inviter or 2 for the joiner.
func Addresses(secret keys.Secret) (inviter, joiner netip.Addr, err error) {
	random, err := expand(secret, addressLabel, 6)
	if err != nil {
		return inviter, joiner, err
	}
	a := [16]byte{0: 0xfd, 1: 0x05}
	copy(a[2:], random)
	binary.BigEndian.PutUint16(a[14:], 1)
	inviter = netip.AddrFrom16(a)
	binary.BigEndian.PutUint16(a[14:], 2)
	return inviter, netip.AddrFrom16(a), nil
}
