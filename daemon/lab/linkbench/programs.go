package linkbench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

const peerModule = "golang.zx2c4.com/wireguard"

// nullTag builds a pc5d whose record suite encrypts nothing, for this measurement alone. A tree in which no
// file knows the tag has no such build.
const nullTag = "pc5null"

// programs are the daemons to be measured.
type programs struct {
	pc5d, null  string // null: "" when there is no such build
	peer        string
	peerVersion string
}

// install installs the peer into dir, if it is not there yet.
func (p *programs) install(ctx context.Context, dir string, progress func(string)) (err error) {
	if dir, err = filepath.Abs(dir); err != nil {
		return err
	}
	if p.peerVersion, err = goTool(ctx, nil, "list", "-m", "-f", "{{.Version}}", peerModule); err != nil {
		return err
	}
	p.peer = filepath.Join(dir, "wireguard-go-"+p.peerVersion, "wireguard")
	if _, err := os.Stat(p.peer); err == nil {
		return nil
	}
	progress("installing wireguard-go " + p.peerVersion)
	_, err = goTool(ctx, []string{"GOBIN=" + filepath.Dir(p.peer)}, "install", peerModule+"@"+p.peerVersion)
	return err
}

// build builds the daemons of this tree into dir.
func (p *programs) build(ctx context.Context, dir string, progress func(string)) (err error) {
	if dir, err = filepath.Abs(dir); err != nil {
		return err
	}
	progress("building pc5d")
	p.pc5d = filepath.Join(dir, "pc5d")
	if _, err := goTool(ctx, nil, "build", "-trimpath", "-o", p.pc5d, "pc5d/cmd/pc5d"); err != nil {
		return err
	}
	with, err := sources(ctx, "-tags", nullTag)
	if err != nil {
		return err
	}
	without, err := sources(ctx)
	if err != nil || with == without {
		return err
	}
	p.null = filepath.Join(dir, "pc5d-null")
	_, err = goTool(ctx, nil, "build", "-trimpath", "-tags", nullTag, "-o", p.null, "pc5d/cmd/pc5d")
	return err
}

// sources lists the files that a build of pc5d is made of.
func sources(ctx context.Context, flags ...string) (string, error) {
	args := append([]string{"list", "-deps", "-f", "{{.ImportPath}} {{.GoFiles}}"}, flags...)
	return goTool(ctx, nil, append(args, "pc5d/cmd/pc5d")...)
}

// goTool runs the go command in the module that the process stands in.
func goTool(ctx context.Context, environment []string, args ...string) (string, error) {
	c := exec.CommandContext(ctx, "go", args...)
	c.WaitDelay = time.Second
	c.Env = append(os.Environ(), environment...)
	var out, told bytes.Buffer
	c.Stdout, c.Stderr = &out, &told
	if err := c.Run(); err != nil {
		if ctx.Err() != nil {
			return "", ctx.Err()
		}
		return "", fmt.Errorf("go %s: %w: %s", args[0], err, strings.TrimSpace(told.String()))
	}
	return strings.TrimSpace(out.String()), nil
}

// need says of each program how to get it.
type need map[string]string

// missing says all that the machine lacks, before anything is begun.
func missing(more need) error {
	var all []error
	if os.Geteuid() != 0 {
		all = append(all, errors.New("network namespaces and TUN interfaces need root: run it as root, or with sudo"))
	}
	if _, err := os.Stat("/dev/net/tun"); err != nil {
		all = append(all, fmt.Errorf("%w: load the kernel's module tun", err))
	}
	all = append(all, need{"iperf3": "install the package iperf3"}.missing(), more.missing())
	const algorithms = "/proc/sys/net/ipv4/tcp_available_congestion_control"
	b, err := os.ReadFile(algorithms)
	if err == nil && !strings.Contains(" "+strings.TrimSpace(string(b))+" ", " cubic ") {
		all = append(all, errors.New("the kernel has no TCP congestion control \"cubic\": load its module tcp_cubic"))
	}
	return errors.Join(all...)
}

func (n need) missing() error {
	var all []error
	for program, mend := range n {
		if _, err := exec.LookPath(program); err != nil {
			all = append(all, fmt.Errorf("%w: %s", err, mend))
		}
	}
	return errors.Join(all...)
}

// iperfVersion is the first line of what iperf3 says about itself.
func iperfVersion(ctx context.Context) string {
	b, err := exec.CommandContext(ctx, "iperf3", "--version").Output()
	line, _, _ := strings.Cut(string(b), "\n")
	if version, _, _ := strings.Cut(line, " ("); err == nil && version != "" {
		return version
	}
	return "iperf3 of unknown version"
}
