// Package logtest keeps the log of a test.
package logtest

import (
	"bytes"
	"sync"
)

// Log is what was written to it. It may be written and read at the same time, as the log of an agent is whose test looks
// on. The zero value is empty.
type Log struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// Write appends a line. It never fails.
func (l *Log) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(line)
}

// String returns all lines so far.
func (l *Log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}
