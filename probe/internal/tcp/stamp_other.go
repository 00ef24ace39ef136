//go:build !(linux && (amd64 || arm64 || loong64 || ppc64le || riscv64))

package tcp

import (
	"net"
	"time"
)

// stamper is for systems whose kernel tells when it received something.
type stamper struct{}

func newStamper(net.Conn) *stamper { return nil }

func (*stamper) read([]byte, bool) (int, time.Time, error) { return 0, time.Time{}, ErrNothing{} }

func (*stamper) peek([]byte) (int, time.Time, error) { return 0, time.Time{}, ErrNothing{} }

// KeepKernelClock has nothing to keep on this system: times are those of the user clock.
func KeepKernelClock() (release func(), err error) { return func() {}, nil }
