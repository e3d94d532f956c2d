package ca

import (
	"bytes"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// DefaultListDays is how long a revocation list counts that is made without a time (chosen): nodes
// refuse every certificate when it is over.
const DefaultListDays = 30

// List returns everything that was issued, oldest first.
func (f *Fleet) List() []Certificate { return slices.Clone(f.index.Certificates) }

// Revoke revokes the good certificates of a name, or one by its serial number or by its file, and
// makes a new list. It returns those that it has revoked.
func (f *Fleet) Revoke(what string) ([]Certificate, error) {
	match, err := f.target(what)
	if err != nil {
		return nil, err
	}
	var revoked []Certificate
	for i := range f.index.Certificates {
		if c := &f.index.Certificates[i]; match(*c) && c.State(f.now) == "good" {
			c.Revoked = f.now
			revoked = append(revoked, *c)
		}
	}
	if len(revoked) == 0 {
		return nil, fmt.Errorf("%q: nothing that is good is called so; pc5ctl ca list shows all", what)
	}
	return revoked, f.MakeList(DefaultListDays) // one write of the index, so that its number tells what is on the list
}

// target tells what somebody means: a name first, because a file may have any name.
func (f *Fleet) target(what string) (func(Certificate) bool, error) {
	byName := func(c Certificate) bool { return c.Name == what }
	serial, isSerial := new(big.Int).SetString(strings.ReplaceAll(what, ":", ""), 16) // as other programs write it
	bySerial := func(c Certificate) bool { return isSerial && c.number().Cmp(serial) == 0 }
	for _, match := range []func(Certificate) bool{byName, bySerial} {
		if slices.ContainsFunc(f.index.Certificates, match) {
			return match, nil
		}
	}
	text, err := os.ReadFile(what)
	if err != nil {
		return nil, fmt.Errorf("%q is no name and no serial number of this CA, and no file; pc5ctl ca list shows all", what)
	}
	c, err := parseCertificate(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	if !bytes.Equal(c.RawIssuer, f.certificate.RawSubject) || c.CheckSignatureFrom(f.certificate) != nil {
		return nil, fmt.Errorf("%s: this CA did not issue it", what)
	}
	return func(o Certificate) bool { return o.number().Cmp(c.SerialNumber) == 0 }, nil
}

// settle compares the list with the index. One that is behind, because the machine stopped between the two,
// lacks what the index shows as revoked; one that is ahead has what an index from a backup lacks.
func (f *Fleet) settle() error {
	switch listed := f.listed(); {
	case listed > f.index.ListNumber:
		return fmt.Errorf("CA: %s is older than %s: certificates and revocations are missing in it: bring back a newer one, or make another CA", filepath.Join(f.dir, indexFile), listFile)
	case listed == f.index.ListNumber && listed > 0:
		return nil
	}
	return f.MakeList(DefaultListDays)
}

// listed is the number of the list in the folder; 0: there is none that counts.
func (f *Fleet) listed() int64 {
	text, err := os.ReadFile(filepath.Join(f.dir, listFile))
	if err != nil {
		return 0
	}
	block, _ := pem.Decode(text)
	if block == nil {
		return 0
	}
	list, err := x509.ParseRevocationList(block.Bytes)
	if err != nil || list.CheckSignatureFrom(f.certificate) != nil || list.Number == nil || !list.Number.IsInt64() {
		return 0
	}
	return list.Number.Int64()
}

// MakeList makes the revocation list anew; it counts for some days.
func (f *Fleet) MakeList(days int) error {
	if days < 1 || days > maxDays {
		return fmt.Errorf("%d days: 1 to %d are possible", days, maxDays)
	}
	list := &x509.RevocationList{
		Number: big.NewInt(f.index.ListNumber + 1), ThisUpdate: f.now, NextUpdate: f.now.Add(time.Duration(days) * 24 * time.Hour),
	}
	for _, c := range f.index.Certificates {
		if !c.Revoked.IsZero() {
			list.RevokedCertificateEntries = append(list.RevokedCertificateEntries, x509.RevocationListEntry{SerialNumber: c.number(), RevocationTime: c.Revoked})
		}
	}
	der, err := x509.CreateRevocationList(rand.Reader, list, f.certificate, f.key)
	if err != nil {
		return fmt.Errorf("revocation list: %w", err)
	}
	f.index.ListNumber++ // a number is used once, also where the list does not get to the disk
	if err := f.index.write(f.dir); err != nil {
		return err
	}
	return writeFile(filepath.Join(f.dir, listFile), pem.EncodeToMemory(&pem.Block{Type: "X509 CRL", Bytes: der}))
}
