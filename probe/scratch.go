package probe

import (
	"bufio"
	"sync"

	"github.com/wsprobe/wsprobe/probe/internal/opening"
)

// scratch is the memory of a run that its Result does not point into. It goes from run to run: allocated anew, it was
// nine tenths of the memory of a run, and collecting it a good part of the cost.
type scratch struct {
	chunk   [16 << 10]byte // the bytes that were received last
	message [4 << 10]byte  // those of a message that were read last
	head    *bufio.Reader  // of the response to the upgrade
	attempt opening.Attempt
}

var scratches = sync.Pool{New: func() any { return &scratch{head: bufio.NewReader(nil)} }}

func newScratch() *scratch { return scratches.Get().(*scratch) }

// free gives the memory to another run. The run must not use it any more, nor anything that points into it.
func (s *scratch) free() {
	s.head.Reset(nil) // it would keep the connection alive
	s.attempt = opening.Attempt{}
	scratches.Put(s)
}
