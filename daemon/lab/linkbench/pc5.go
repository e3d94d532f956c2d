package linkbench

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"pc5d/daemon/lab"
)

const pc5Port = 33536

// startPC5 starts a link of two pc5d with what provisioning says by default.
func startPC5(ctx context.Context, dir, name, program string) (*tunnel, error) {
	files := filepath.Join(dir, name)
	if err := os.Mkdir(files, 0o700); err != nil {
		return nil, err
	}
	p, err := lab.NewPair(files)
	if err != nil {
		return nil, err
	}
	t, err := startPair(ctx, p, dir, name, program)
	if err != nil {
		return nil, errors.Join(err, p.Close())
	}
	return t, nil
}

// startPair starts the daemons of a pair and their link; on an error the pair is the caller's to close.
func startPair(ctx context.Context, p *lab.Pair, dir, name, program string) (*tunnel, error) {
	for _, n := range []*lab.Node{p.Alice, p.Bob} {
		if err := n.Start(ctx, program); err != nil {
			return nil, err
		}
	}
	s, err := p.Alice.Client.Up(ctx, "bob", upTimeout)
	if err != nil {
		return nil, err
	}
	if s.State != "established" {
		return nil, fmt.Errorf("link %s of %s is %s: %s %s", s.Name, name, s.State, s.LastError, s.Hint)
	}
	return &tunnel{
		name: name, dir: dir, lab: p.Lab, port: pc5Port, inner: p.Bob.Four,
		sender: p.Alice.Process(), receiver: p.Bob.Process(), stop: p.Close,
	}, nil
}
