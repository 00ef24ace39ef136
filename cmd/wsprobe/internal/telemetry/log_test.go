package telemetry

import (
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestLogIsLimited(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		book := newLogbook()
		limited := newLimitedHandler(book.logger().Handler())
		log := slog.New(limited)
		for range 130 { // one a second
			log.Warn("failed", "key", "value")
			time.Sleep(time.Second)
		}
		log.Warn("another")
		var got []string
		for line := range strings.Lines(book.String()) {
			_, line, _ = strings.Cut(line, " ") // the time
			got = append(got, strings.TrimSpace(line))
		}
		want := []string{
			"level=WARN msg=failed key=value",
			"level=WARN msg=failed key=value suppressed=59",
			"level=WARN msg=failed key=value suppressed=59",
			"level=WARN msg=another",
		}
		if strings.Join(got, "\n") != strings.Join(want, "\n") {
			t.Errorf("got\n%s", book)
		}
	})
}

// TestSuppressedLinesLoseNoNumbers adds up what lines tell, whether they were written or not.
func TestSuppressedLinesLoseNoNumbers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		book := newLogbook()
		limited := newLimitedHandler(book.logger().Handler())
		log := slog.New(limited)
		drop := func(points int) { log.Warn("dropped", "points", points, "cause", points) }
		drop(1)
		drop(10)
		time.Sleep(time.Second)
		drop(100)
		time.Sleep(time.Minute)
		drop(1000)
		log.Error("rejected", "message", "no", "points", int64(7))
		log.Error("rejected", "message", "never", "points", int64(8))
		log.Error("failed", "error", "x")
		log.Error("failed", "error", "x")
		limited.flush()
		limited.flush()
		drop(10000)
		limited.flush()
		var got []string
		for line := range strings.Lines(book.String()) {
			_, line, _ = strings.Cut(line, " ") // the time
			got = append(got, strings.TrimSpace(line))
		}
		want := []string{
			"level=WARN msg=dropped points=1 cause=1",
			"level=WARN msg=dropped points=1110 cause=1000 suppressed=2",
			"level=ERROR msg=rejected message=no points=7",
			"level=ERROR msg=failed error=x",
			"level=ERROR msg=rejected message=never points=8",
			"level=WARN msg=dropped points=10000 cause=10000",
		}
		if strings.Join(got, "\n") != strings.Join(want, "\n") {
			t.Errorf("got\n%s", book)
		}
	})
}
