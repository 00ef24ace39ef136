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
		log := newLimitedLog(book.logger())
		for range 130 { // one a second
			log.log(slog.LevelWarn, "failed", "key", "value")
			time.Sleep(time.Second)
		}
		log.log(slog.LevelWarn, "another")
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
