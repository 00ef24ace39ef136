//go:build !(linux && (amd64 || arm64 || loong64 || ppc64le || riscv64))

package tcp

import (
	"net"
	"time"
)

// stamper is for systems whose kernel has timestamps of received bytes.
type stamper struct{}

func newStamper(net.Conn) *stamper { return nil }

func (*stamper) read([]byte, bool) (int, time.Time, error) { return 0, time.Time{}, ErrNothing{} }

func (*stamper) peek([]byte) (int, time.Time, error) { return 0, time.Time{}, ErrNothing{} }

func (*stamper) wait() error { return nil }

// KeepKernelClock does nothing on this system: all times are those of this process.
func KeepKernelClock() (release func(), err error) { return func() {}, nil }

// EndedAt returns the present time on this system.
func (c *Conn) EndedAt() time.Time { return time.Now() }
