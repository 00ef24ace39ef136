package e2e

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gobwas/ws"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/pmetric/pmetricotlp"

	"github.com/wsprobe/wsprobe/deploy/e2e/lab"
)

// holdingServer holds WebSockets that say one word when they open, and answer Pings. It counts them by their paths.
type holdingServer struct {
	addr string

	mu    sync.Mutex
	opens map[string]int // all that there ever were
	open  map[string]int // those that are open
}

// startHoldingServer serves until the test ends.
func startHoldingServer(t *testing.T) *holdingServer {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	t.Cleanup(func() { _ = l.Close() })
	s := &holdingServer{addr: l.Addr().String(), opens: map[string]int{}, open: map[string]int{}}
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return // the test has ended
			}
			go s.serve(conn)
		}
	}()
	return s
}

// serve holds one connection. It reads no more than it must, because there are many.
func (s *holdingServer) serve(conn net.Conn) {
	defer conn.Close()
	var path string
	upgrader := ws.Upgrader{OnRequest: func(uri []byte) error { path = string(uri); return nil }}
	if _, err := upgrader.Upgrade(conn); err != nil {
		return
	}
	s.count(path, 1)
	defer s.count(path, -1)
	if ws.WriteFrame(conn, ws.NewTextFrame([]byte("welcome"))) != nil {
		return
	}
	for {
		header, payload, err := readFrame(conn)
		if err != nil {
			return
		}
		switch header.OpCode {
		case ws.OpPing:
			_ = ws.WriteFrame(conn, ws.NewPongFrame(payload))
		case ws.OpClose:
			_ = ws.WriteFrame(conn, ws.NewCloseFrame(payload))
			return
		}
	}
}

// readFrame reads a frame of a client, which is short: no session of these tests sends more than a control frame holds.
func readFrame(r io.Reader) (ws.Header, []byte, error) {
	header, err := ws.ReadHeader(r)
	if err != nil {
		return header, nil, err
	}
	if header.Length > ws.MaxControlFramePayloadSize {
		return header, nil, fmt.Errorf("a frame of %d bytes", header.Length)
	}
	payload := make([]byte, header.Length)
	if _, err := io.ReadFull(r, payload); err != nil {
		return header, nil, err
	}
	ws.Cipher(payload, header.Mask, 0)
	return header, payload, nil
}

// count notes an open or an end.
func (s *holdingServer) count(path string, change int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.opens[path] += max(change, 0)
	if s.open[path] += change; s.open[path] == 0 {
		delete(s.open, path)
	}
}

// opened tells how many connections of a path there ever were.
func (s *holdingServer) opened(path string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.opens[path]
}

// await waits until each of these names has one open connection, and no other has any.
func (s *holdingServer) await(t *testing.T, names []string) {
	t.Helper()
	lab.Eventually(t, 3*time.Minute, fmt.Sprintf("%d open connections", len(names)), func() (bool, string) {
		s.mu.Lock()
		defer s.mu.Unlock()
		right := !slices.ContainsFunc(names, func(name string) bool { return s.open["/"+name] != 1 })
		return right && len(s.open) == len(names), fmt.Sprint(len(s.open))
	})
}

// lives takes metrics over HTTP, and follows the series of probes that go.
type lives struct {
	mu   sync.Mutex
	open map[string]string // the names of the probes, by series that has not ended
	ends int
}

func (l *lives) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	request := pmetricotlp.NewExportRequest()
	if err != nil || request.UnmarshalProto(body) != nil {
		http.Error(w, "no metrics", http.StatusBadRequest)
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, resource := range request.Metrics().ResourceMetrics().All() {
		for _, scope := range resource.ScopeMetrics().All() {
			for _, m := range scope.Metrics().All() {
				l.take(m)
			}
		}
	}
	w.Header().Set("Content-Type", "application/x-protobuf") // the answer is empty: all is well
}

// take follows the points of a metric.
func (l *lives) take(m pmetric.Metric) {
	note := func(attributes pcommon.Map, flags pmetric.DataPointFlags) {
		name, _ := attributes.Get("wsprobe.name")
		if name.Str() == "" || strings.HasPrefix(name.Str(), "kept-") {
			return
		}
		series := fmt.Sprint(m.Name(), attributes.AsRaw())
		if flags.NoRecordedValue() {
			delete(l.open, series)
			l.ends++
			return
		}
		l.open[series] = name.Str()
	}
	switch m.Type() {
	case pmetric.MetricTypeGauge:
		for _, p := range m.Gauge().DataPoints().All() {
			note(p.Attributes(), p.Flags())
		}
	case pmetric.MetricTypeSum:
		for _, p := range m.Sum().DataPoints().All() {
			note(p.Attributes(), p.Flags())
		}
	case pmetric.MetricTypeHistogram:
		for _, p := range m.Histogram().DataPoints().All() {
			note(p.Attributes(), p.Flags())
		}
	}
}
