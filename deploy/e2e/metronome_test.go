package e2e

import (
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// metronome does again and again what a buffer on disk does: it waits, writes a file and flushes it to the disk. It
// tells by how much the machine is too busy for that.
type metronome struct {
	mu    sync.Mutex
	beats []beat
}

// beat is one write, and how much longer than the wait it took.
type beat struct {
	at   time.Time
	late time.Duration
}

const (
	beatWait = 50 * time.Millisecond
	// beatFine is what a write may take on a machine that is not busy.
	beatFine = 20 * time.Millisecond
)

func startMetronome(t *testing.T) *metronome {
	t.Helper()
	m, path := &metronome{}, filepath.Join(t.TempDir(), "beat")
	var done sync.WaitGroup
	stop := make(chan struct{})
	done.Go(func() {
		for {
			began := time.Now()
			select {
			case <-stop:
				return
			case <-time.After(beatWait):
			}
			if file, err := os.Create(path); err == nil {
				_, _ = file.Write(make([]byte, 4<<10))
				_ = file.Sync()
				_ = file.Close()
			}
			now := time.Now()
			m.mu.Lock()
			m.beats = append(m.beats, beat{now, now.Sub(began) - beatWait})
			m.mu.Unlock()
		}
	})
	t.Cleanup(func() { close(stop); done.Wait() })
	return m
}

// late is by how much writes were late in the two seconds before a time, at most. On a machine that is not busy it is 0.
func (m *metronome) late(until time.Time) time.Duration {
	m.mu.Lock()
	defer m.mu.Unlock()
	var latest time.Duration
	for _, b := range m.beats {
		if b.at.After(until.Add(-2*time.Second)) && b.late > max(latest, beatFine) {
			latest = b.late
		}
	}
	if n := len(m.beats); n > 0 { // one that is under way
		if late := until.Sub(m.beats[n-1].at) - beatWait; late > max(latest, beatFine) {
			latest = late
		}
	}
	return latest
}
