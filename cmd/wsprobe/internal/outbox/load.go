package outbox

import (
	"errors"
	"fmt"
	"time"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/spool"
)

// maxSearch bounds how long the delivery waits for batches of earlier processes, which are older than all others. Only
// a very slow disk takes longer, and a broken order is better than no delivery.
const maxSearch = 30 * time.Second

// open takes the directory of the spool, and the batches that an earlier process left there. The error says that
// another process has the directory; every other trouble with a disk can pass.
func (q *queue) open(now time.Time) error {
	if q.disk == nil {
		return nil
	}
	entries, err := q.disk.Ready()
	if errors.Is(err, spool.ErrInUse) {
		return fmt.Errorf("spool %s: %w", q.disk.Dir.Path, err)
	}
	q.load(now, entries)
	q.search(now.Add(maxSearch))
	return nil
}

// search notes whether the disk still looks for batches of earlier processes, and until when to wait for them.
func (q *queue) search(until time.Time) {
	searching := q.disk.Dir.Scanning()
	q.mu.Lock()
	defer q.mu.Unlock()
	switch {
	case !searching:
		q.searched = time.Time{}
	case !until.IsZero():
		q.searched = until
	}
}

// searching reports whether the disk can still find batches that are older than those in the queue.
func (q *queue) searching(now time.Time) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return now.Before(q.searched)
}

// close gives the directory of the spool back.
func (q *queue) close() error {
	if q.disk == nil {
		return nil
	}
	return q.disk.Dir.Close()
}

// load puts batches that were found on the disk ahead of all batches of this process. Their age is the wall clock's
// now, and goes on with the monotonic clock, so that a step of the wall clock cannot change it later. A time to come
// counts as now.
func (q *queue) load(now time.Time, entries []spool.Entry) {
	if len(entries) == 0 {
		return
	}
	q.mu.Lock()
	known := make(map[string]bool)
	for _, b := range q.batches {
		if b.file != nil {
			known[b.file.File] = true
		}
	}
	var found []*batch
	for _, e := range entries {
		if known[e.File] {
			continue
		}
		age := max(0, now.Round(0).Sub(e.Time))
		b := &batch{content: content{file: &e}, items: e.Items, at: now.Add(-age)}
		found = append(found, b)
		q.count(b, +1)
	}
	if len(found) > 0 {
		found[0].unanswered = true // it may have been on its way when the earlier process was killed
	}
	q.batches = append(found, q.batches...)
	q.mu.Unlock()
	q.expire(now)
	q.shrink(0)
	signal(q.wake)
}

// read returns the request of a batch that is to be sent. It drops a batch that is damaged or cannot be encoded. A
// batch whose file cannot be read for now stays.
func (q *queue) read(b *batch, c content) (request []byte, ok bool) {
	if c.file != nil {
		packed, err := q.disk.Get(*c.file)
		if errors.Is(err, spool.ErrDamaged) {
			q.dropOne(b, DropDamaged)
		}
		if err != nil {
			return nil, false
		}
		c.packed = packed
	}
	request, err := c.request()
	if err != nil {
		q.dropUndecodable(b, c, err)
		return nil, false
	}
	return request, true
}

// dropUndecodable drops a batch that cannot become a request again.
func (q *queue) dropUndecodable(b *batch, c content, why error) {
	cause := DropDamaged
	switch {
	case c.source != nil:
		cause = DropUnencodable
	case c.file != nil:
		q.disk.Dir.SetAside(*c.file, why.Error())
	}
	q.dropOne(b, cause)
}
