package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/coder/websocket"

	"github.com/wsprobe/wsprobe/deploy/e2e/lab"
)

// witness is a receiver in the test itself, which nothing befalls. It sees which events there were.
type witness struct {
	url string

	mu   sync.Mutex
	seen []streamEvent
	raw  []map[string]any // the same, whole
}

func newWitness(t *testing.T) *witness {
	t.Helper()
	w := &witness{}
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		conn, err := websocket.Accept(rw, r, nil)
		if err != nil {
			return
		}
		defer conn.CloseNow()
		for {
			_, text, err := conn.Read(context.Background())
			if err != nil {
				return
			}
			var e streamEvent
			var raw map[string]any
			if err := errors.Join(json.Unmarshal(text, &e), json.Unmarshal(text, &raw)); err != nil {
				t.Errorf("the witness: %v in %.300q", err, text)
				return
			}
			w.mu.Lock()
			w.seen, w.raw = append(w.seen, e), append(w.raw, raw)
			w.mu.Unlock()
		}
	}))
	t.Cleanup(server.Close)
	w.url = "ws" + strings.TrimPrefix(server.URL, "http")
	return w
}

// events returns what was seen until now, each once.
func (w *witness) events() (all []streamEvent) {
	w.mu.Lock()
	defer w.mu.Unlock()
	seen := map[string]bool{}
	for _, e := range w.seen {
		if !seen[e.ID] {
			all = append(all, e)
		}
		seen[e.ID] = true
	}
	return all
}

// all returns the events with all their fields.
func (w *witness) all() []map[string]any {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.raw)
}

// await waits until there were so many events.
func (w *witness) await(t *testing.T, n int) {
	t.Helper()
	lab.Eventually(t, serverLimit, fmt.Sprintf("%d events", n), func() (bool, string) {
		got := len(w.events())
		return got >= n, strconv.Itoa(got)
	})
}

// stream is the entry of the witness in the list streams.
func (w *witness) stream() map[string]any {
	return map[string]any{"name": "witness", "url": w.url, "acknowledgements": "written"}
}
