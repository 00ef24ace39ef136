//go:build !(linux && (amd64 || arm64 || loong64 || ppc64le || riscv64))

package session

// poller is for systems with epoll. Elsewhere each connection has a goroutine.
type poller struct{}

func newPoller(*Hub) *poller { return nil }

func (*poller) run()              {}
func (*poller) end()              {}
func (*poller) share() int32      { return 0 }
func (*poller) look(*holder)      {}
func (*poller) take(*holder) bool { return false }
