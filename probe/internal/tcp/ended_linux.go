//go:build linux && (amd64 || arm64 || loong64 || ppc64le || riscv64)

package tcp

import (
	"syscall"
	"time"
	"unsafe"
)

// EndedAt returns when the end of the stream came that a Read has just found. A busy agent finds it late. The kernel
// keeps no time of it, but the time of the last acknowledgement, which every FIN carries.
func (c *Conn) EndedAt() time.Time {
	if c.bare != nil {
		return endedAt(uintptr(c.bare.fd), c.ArrivedAt)
	}
	if c.stamper == nil {
		return time.Now()
	}
	var at time.Time
	err := c.stamper.file.Control(func(fd uintptr) { at = endedAt(fd, c.ArrivedAt) })
	if err != nil {
		return time.Now()
	}
	return at
}

// EndedAt is that of a Conn. It can be somewhat before the last bytes came, because the kernel counts in ticks.
func (b *Bare) EndedAt() time.Time { return endedAt(uintptr(b.fd), time.Time{}) }

// endedAt is when a stream ended whose last bytes came at a time.
func endedAt(fd uintptr, arrived time.Time) time.Time {
	now := time.Now()
	var info syscall.TCPInfo
	size := uint32(unsafe.Sizeof(info))
	_, _, errno := syscall.Syscall6(syscall.SYS_GETSOCKOPT, fd, syscall.IPPROTO_TCP, syscall.TCP_INFO,
		uintptr(unsafe.Pointer(&info)), uintptr(unsafe.Pointer(&size)), 0)
	ago := time.Duration(info.Last_ack_recv) * time.Millisecond
	if errno != 0 || ago < minEndLag {
		return now
	}
	if at := now.Add(-ago); at.After(arrived) {
		return at
	}
	return arrived
}

// minEndLag is beyond the ticks of the kernel, in which it counts this time.
const minEndLag = 20 * time.Millisecond
