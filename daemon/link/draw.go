package link

import (
	"encoding/binary"
	"fmt"
	"io"
	"slices"
)

// drawRequest draws UE_A's nonce and its half of the K_NRP-sess ID.
func (m *Machine) drawRequest(r *securityRun) error {
	if err := m.draw(r.nonce1[:]); err != nil {
		return err
	}
	for {
		msb, err := m.drawOctet()
		if err != nil {
			return err
		}
		if !m.msbInUse(msb) {
			r.msb = msb
			return nil
		}
	}
}

// msbInUse tells whether a live context of the link has this high half: the new one must differ.
func (m *Machine) msbInUse(msb uint8) bool {
	return slices.ContainsFunc(m.contexts(), func(c *securityContext) bool {
		return slices.ContainsFunc(c.names, func(n Name) bool { return n.Session.MSB() == msb })
	})
}

// draw fills b with random octets. A failing source ends the attempt, never weakens it.
func (m *Machine) draw(b []byte) error {
	if _, err := io.ReadFull(m.cfg.Rand, b); err != nil {
		return fmt.Errorf("local random source: %w", err)
	}
	return nil
}

// drawOctet draws one half of a K_NRP-sess ID: never 0, which stands for no protection.
func (m *Machine) drawOctet() (uint8, error) {
	var b [1]byte
	for b[0] == 0 {
		if err := m.draw(b[:]); err != nil {
			return 0, err
		}
	}
	return b[0], nil
}

// drawHalf draws one half of a K_NRP ID.
func (m *Machine) drawHalf() (uint16, error) {
	var b [2]byte
	err := m.draw(b[:])
	return binary.BigEndian.Uint16(b[:]), err
}
