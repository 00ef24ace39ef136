package probe_test

import (
	"strconv"
	"syscall"
	"testing"

	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/reasons"
)

// TestSYNBlackhole connects to a port whose accept queue is full, so that the kernel drops every further SYN.
func TestSYNBlackhole(t *testing.T) {
	t.Parallel()
	listener := socket(t)
	local := &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}
	if err := syscall.Bind(listener, local); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Listen(listener, 0); err != nil {
		t.Fatal(err)
	}
	name, err := syscall.Getsockname(listener)
	if err != nil {
		t.Fatal(err)
	}
	for range 4 {
		_ = syscall.Connect(socket(t), name) // does not wait
	}
	port := name.(*syscall.SockaddrInet4).Port
	p, err := probe.New(probe.Spec{Opening: probe.Opening{URL: "ws://127.0.0.1:" + strconv.Itoa(port) + "/"},
		Timeout: brief})
	if err != nil {
		t.Fatal(err)
	}
	r, err := p.Run(t.Context())
	if err != nil || r.Reason != reasons.HandshakeTimeout || r.ErrorType != reasons.ConnectTimeout {
		t.Errorf("got %+v, %v", r, err)
	}
}

func socket(t *testing.T) int {
	t.Helper()
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_NONBLOCK|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Close(fd) })
	return fd
}
