//go:build !(linux && (amd64 || arm64 || loong64 || ppc64le || riscv64))

package tcp

import "time"

// Receiver is for systems with epoll and timestamps of the kernel.
type Receiver struct{ ArrivedAt time.Time }

// Bare is for systems with epoll.
type Bare struct{ receiver *Receiver }

// Bare cannot make a connection bare on this system.
func (*Conn) Bare(*Bare, *Receiver) bool { return false }

func (*Bare) Unsent() int               { return 0 }
func (*Bare) EndedAt() time.Time        { return time.Now() }
func (b *Bare) ArrivedAt() time.Time    { return b.receiver.ArrivedAt }
func (*Bare) Read([]byte) (int, error)  { return 0, ErrNothing{} }
func (*Bare) Write([]byte) (int, error) { return 0, ErrNothing{} }
func (*Bare) Close() error              { return nil }
