//go:build !unix

package tcp

import "syscall"

// pollRead finds nothing, because this system cannot try a read without waiting. A greeting that the kernel holds when
// the probe sends can then pass for the reply.
func pollRead(syscall.RawConn, []byte) (int, error) { return 0, ErrNothing{} }
