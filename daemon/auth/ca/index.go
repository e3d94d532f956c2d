package ca

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"time"

	"pc5d/policy"
)

const indexFile = "index.json"

// Certificate is one line of the index.
type Certificate struct {
	Serial  string             `json:"serial"` // hexadecimal
	Name    string             `json:"name"`
	Key     policy.Fingerprint `json:"key"`
	Begins  time.Time          `json:"begins"`
	Ends    time.Time          `json:"ends"`
	Revoked time.Time          `json:"revoked,omitzero"`
}

// State is the one word that people read.
func (c Certificate) State(now time.Time) string {
	switch {
	case !c.Revoked.IsZero():
		return "revoked"
	case !now.Before(c.Ends):
		return "over"
	}
	return "good"
}

func (c Certificate) number() *big.Int {
	n, _ := new(big.Int).SetString(c.Serial, 16) // readIndex has checked it
	return n
}

// index is everything that the CA has done.
type index struct {
	ListNumber   int64         `json:"crl_number"`
	Certificates []Certificate `json:"certificates"`
}

// readIndex reads the index strictly: a CA that does not know what it issued must not go on.
func readIndex(dir string) (index, error) {
	path := filepath.Join(dir, indexFile)
	text, err := os.ReadFile(path)
	if err != nil {
		return index{}, fmt.Errorf("CA: %w: bring the index back from a backup", err)
	}
	var x index
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&x); err != nil {
		return index{}, fmt.Errorf("CA: %s: %w: bring the index back from a backup", path, err)
	}
	for i, c := range x.Certificates {
		if n, ok := new(big.Int).SetString(c.Serial, 16); !ok || n.Sign() <= 0 {
			return index{}, fmt.Errorf("CA: %s: certificate %d has no serial number", path, i+1)
		}
	}
	return x, nil
}

func (x *index) write(dir string) error {
	text, err := json.MarshalIndent(x, "", "  ")
	if err != nil {
		return err
	}
	return writeFile(filepath.Join(dir, indexFile), append(text, '\n'))
}

// writeFile replaces a file whole: after a crash there is the older one or the newer one.
func writeFile(path string, text []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-")
	if err != nil {
		return fmt.Errorf("CA: %w", err)
	}
	_, err = f.Write(text)
	err = errors.Join(err, f.Chmod(0o644), f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		os.Remove(f.Name())
		return fmt.Errorf("CA: %w", err)
	}
	folder, err := os.Open(filepath.Dir(path))
	if err != nil {
		return fmt.Errorf("CA: %w", err)
	}
	if err := errors.Join(folder.Sync(), folder.Close()); err != nil {
		return fmt.Errorf("CA: %w", err)
	}
	return nil
}
