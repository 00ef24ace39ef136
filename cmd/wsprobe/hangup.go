package main

import (
	"log/slog"
	"os"
	"os/signal"
	"sync"
	"syscall"
)

// hangups are the SIGHUPs of an agent. A terminal that closes or an operator who hopes for a reload sends one, and neither
// means that the agent should end.
type hangups struct {
	signals chan os.Signal
	told    sync.WaitGroup
}

// ignoreHangups keeps SIGHUP from ending the process until stop is called.
func ignoreHangups() *hangups {
	h := &hangups{signals: make(chan os.Signal, 1)}
	signal.Notify(h.signals, syscall.SIGHUP)
	return h
}

// tell logs each SIGHUP from now on, and one that came before.
func (h *hangups) tell(log *slog.Logger) {
	h.told.Go(func() {
		for range h.signals {
			log.Warn("SIGHUP is ignored: restart wsprobe to read a changed file")
		}
	})
}

func (h *hangups) stop() {
	signal.Stop(h.signals)
	close(h.signals)
	h.told.Wait()
}
