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
	now := time.Now()
	if c.stamper == nil {
		return now
	}
	var info syscall.TCPInfo
	size := uint32(unsafe.Sizeof(info))
	errno := syscall.EINVAL
	_ = c.stamper.file.Control(func(fd uintptr) {
		_, _, errno = syscall.Syscall6(syscall.SYS_GETSOCKOPT, fd, syscall.IPPROTO_TCP, syscall.TCP_INFO,
			uintptr(unsafe.Pointer(&info)), uintptr(unsafe.Pointer(&size)), 0)
	})
	ago := time.Duration(info.Last_ack_recv) * time.Millisecond
	if errno != 0 || ago < minEndLag {
		return now
	}
	if at := now.Add(-ago); at.After(c.ArrivedAt) {
		return at
	}
	return c.ArrivedAt
}

// minEndLag is beyond the ticks of the kernel, in which it counts this time.
const minEndLag = 20 * time.Millisecond
