package probe

import (
	"bufio"
	"sync"

	"github.com/wsprobe/wsprobe/probe/internal/opening"
)

// scratch is the memory of a run that nothing of its result points into. It is handed on from run to run: made anew
// each time, it was nine tenths of what a run allocated, and collecting it a good part of what a run cost.
type scratch struct {
	chunk   [16 << 10]byte // what was received last
	message [4 << 10]byte  // what of it the library passed on last
	head    *bufio.Reader  // of the response to the upgrade
	attempt opening.Attempt
}

var scratches = sync.Pool{New: func() any { return &scratch{head: bufio.NewReader(nil)} }}

func newScratch() *scratch { return scratches.Get().(*scratch) }

// free gives the memory to another run. The run must not touch it any more, nor anything that came from it.
func (s *scratch) free() {
	s.head.Reset(nil) // it would keep the connection alive
	s.attempt = opening.Attempt{}
	scratches.Put(s)
}
