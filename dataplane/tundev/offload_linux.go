package tundev

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
	"golang.zx2c4.com/wireguard/tun"
)

// What TUNSETOFFLOAD is asked for. The kernel knows TUN_F_USO4 and TUN_F_USO6 together only.
const (
	TCPOffloads = unix.TUN_F_CSUM | unix.TUN_F_TSO4 | unix.TUN_F_TSO6 | unix.TUN_F_TSO_ECN
	UDPOffloads = unix.TUN_F_USO4 | unix.TUN_F_USO6
)

const clonePath = "/dev/net/tun"

// create makes the interface, without virtio-net headers where the kernel knows none.
func create(name string, mtu int, without Offloads) (tun.Device, error) {
	if !without.Header {
		device, err := tun.CreateTUN(name, mtu)
		if !errors.Is(err, unix.EINVAL) {
			return device, err
		}
	}
	return createPlain(name, mtu)
}

// createPlain is tun.CreateTUN without IFF_VNET_HDR.
func createPlain(name string, mtu int) (tun.Device, error) {
	request, err := unix.NewIfreq(name)
	if err != nil {
		return nil, err
	}
	fd, err := unix.Open(clonePath, unix.O_RDWR|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	request.SetUint16(unix.IFF_TUN | unix.IFF_NO_PI)
	if err := unix.IoctlIfreq(fd, unix.TUNSETIFF, request); err != nil {
		unix.Close(fd)
		return nil, err
	}
	file := os.NewFile(uintptr(fd), clonePath)
	device, err := tun.CreateTUNFromFile(file, mtu)
	if err != nil {
		file.Close()
		return nil, err
	}
	return device, nil
}

// probe asks the kernel for one offload after the other and tells which ones are in use.
func probe(fd int, without Offloads) (Offloads, error) {
	var o Offloads
	request, err := unix.NewIfreq("")
	if err != nil {
		return o, err
	}
	if err := unix.IoctlIfreq(fd, unix.TUNGETIFF, request); err != nil {
		return o, fmt.Errorf("read its flags: %w", err)
	}
	o.Header = request.Uint16()&unix.IFF_VNET_HDR != 0
	o.Takes = o.Header && !without.Takes
	try := func(wanted bool, flags int) bool {
		return wanted && unix.IoctlSetInt(fd, unix.TUNSETOFFLOAD, flags) == nil
	}
	o.UDP = try(o.Header && !without.TCP && !without.UDP, TCPOffloads|UDPOffloads)
	o.TCP = o.UDP || try(o.Header && !without.TCP, TCPOffloads)
	if !o.TCP {
		if err := unix.IoctlSetInt(fd, unix.TUNSETOFFLOAD, 0); err != nil {
			return o, fmt.Errorf("switch its offloads off: %w", err)
		}
	}
	return o, nil
}

// readPlain puts the header in front of a packet that came without.
func (t *Tun) readPlain(b []byte) (int, error) {
	clear(b[:HeaderLen])
	n, err := t.read(b[HeaderLen:])
	if err != nil {
		return 0, err
	}
	return HeaderLen + n, nil
}

// writePlain does what the header leaves to the kernel.
func (t *Tun) writePlain(b []byte) (int, error) {
	if err := ReadHeader(b).Complete(b[HeaderLen:]); err != nil {
		return 0, err
	}
	n, err := t.write(b[HeaderLen:])
	if err != nil {
		return 0, err
	}
	return HeaderLen + n, nil
}
