//go:build linux && (amd64 || arm64 || loong64 || ppc64le || riscv64)

package tcp

import (
	"encoding/binary"
	"errors"
	"io"
	"net"
	"runtime"
	"syscall"
	"time"
	"unsafe"
)

// receiver receives from a TCP socket, together with the time at which the kernel received the bytes. A busy agent reads
// late, and its own delay is not the endpoint's latency.
//
// It keeps the header of the system call from one call to the next, because thousands of probes a second receive a
// handful of times each.
type receiver struct {
	header  syscall.Msghdr
	vector  syscall.Iovec
	control [64]byte // one timestamp and its header take 32
}

// receive receives once. It returns EAGAIN if there is nothing to receive.
func (r *receiver) receive(fd uintptr, p []byte, flags uintptr) (int, syscall.Errno) {
	r.header.Iov, r.header.Iovlen = &r.vector, 1
	r.header.Control = &r.control[0]
	r.vector.Base = &p[0]
	r.vector.SetLen(len(p))
	for {
		r.header.SetControllen(len(r.control))
		n, _, errno := syscall.Syscall(syscall.SYS_RECVMSG, fd, uintptr(unsafe.Pointer(&r.header)), flags)
		if errno != syscall.EINTR {
			r.vector.Base = nil
			runtime.KeepAlive(r)
			return int(n), errno
		}
	}
}

// stamper receives from a connection of package net.
type stamper struct {
	receiver
	conn    net.Conn
	file    syscall.RawConn
	attempt func(fd uintptr) bool // kept, as the header is
	into    []byte
	flags   uintptr
	waits   bool
	n       int
	errno   syscall.Errno
}

// newStamper switches the timestamps of a connection on. It returns nil if it has none.
func newStamper(conn net.Conn) *stamper {
	tcp, ok := conn.(*net.TCPConn)
	if !ok {
		return nil
	}
	file, err := tcp.SyscallConn()
	if err != nil {
		return nil
	}
	var set error
	err = file.Control(func(fd uintptr) {
		set = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_TIMESTAMPNS, 1)
	})
	if err != nil || set != nil {
		return nil
	}
	s := &stamper{conn: conn, file: file}
	s.attempt = s.tryOnce
	return s
}

// read receives. With wait it waits for bytes; without, it returns ErrNothing if none are there. The time is that of
// the last byte, by the wall clock, and zero if the kernel gave none.
func (s *stamper) read(p []byte, wait bool) (int, time.Time, error) { return s.recv(p, wait, 0) }

// peek copies the bytes that are there, and leaves them in the kernel.
func (s *stamper) peek(p []byte) (int, time.Time, error) { return s.recv(p, false, syscall.MSG_PEEK) }

// wait waits for bytes, and leaves them in the kernel.
func (s *stamper) wait() error {
	var first [1]byte
	_, _, err := s.recv(first[:], true, syscall.MSG_PEEK)
	return err
}

func (s *stamper) recv(p []byte, wait bool, flags uintptr) (int, time.Time, error) {
	if len(p) == 0 {
		return 0, time.Time{}, nil
	}
	s.into, s.waits, s.flags = p, wait, flags
	err := s.file.Read(s.attempt)
	s.into = nil
	switch {
	case err != nil:
		return 0, time.Time{}, err
	case s.errno == syscall.EAGAIN:
		return 0, time.Time{}, ErrNothing{}
	case s.errno != 0:
		return 0, time.Time{}, &net.OpError{Op: "read", Net: "tcp", Source: s.conn.LocalAddr(), Addr: s.conn.RemoteAddr(), Err: s.errno}
	case s.n == 0:
		return 0, time.Time{}, io.EOF
	default:
		return s.n, s.stamp(), nil
	}
}

// tryOnce tries to receive. It returns false to be called again once there are bytes to read.
func (s *stamper) tryOnce(fd uintptr) bool {
	s.n, s.errno = s.receive(fd, s.into, s.flags)
	return s.errno != syscall.EAGAIN || !s.waits
}

// stamp reads the control message of the last receive. All 64-bit architectures have the same: its length (8 bytes),
// level and type (4 each), and a timespec (8 and 8).
func (r *receiver) stamp() time.Time {
	if r.header.Controllen < 32 {
		return time.Time{}
	}
	level, kind := binary.NativeEndian.Uint32(r.control[8:]), binary.NativeEndian.Uint32(r.control[12:])
	if level != syscall.SOL_SOCKET || kind != syscall.SO_TIMESTAMPNS {
		return time.Time{}
	}
	return time.Unix(int64(binary.NativeEndian.Uint64(r.control[16:])), int64(binary.NativeEndian.Uint64(r.control[24:])))
}

// KeepKernelClock makes the kernel timestamp all that it receives, until release is called, by one idle socket that
// asks for it. Without it, each run switches the timestamps on and off for the whole machine, which costs more than the
// run.
func KeepKernelClock() (release func(), err error) {
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_DGRAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, errors.New("keeping the kernel's clock: " + err.Error())
	}
	if err := syscall.SetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_TIMESTAMPNS, 1); err != nil {
		_ = syscall.Close(fd)
		return nil, errors.New("keeping the kernel's clock: " + err.Error())
	}
	return func() { _ = syscall.Close(fd) }, nil
}
