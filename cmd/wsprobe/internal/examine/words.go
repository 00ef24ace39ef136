package examine

import (
	"fmt"
	"net/http"
	"time"

	"github.com/wsprobe/wsprobe/probe"
)

// millis is a time in ms.
func millis(d time.Duration) string {
	if d < 100*time.Microsecond {
		return "less than 0.1 ms"
	}
	return fmt.Sprintf("%.1f ms", probe.Millis(d))
}

// httpStatus is a status with its name.
func httpStatus(status int) string {
	if text := http.StatusText(status); text != "" {
		return fmt.Sprintf("%d %s", status, text)
	}
	return fmt.Sprint(status)
}

// size is a number of bytes for people.
func size(n int) string {
	switch {
	case n >= 1<<20 && n%(1<<20) == 0:
		return fmt.Sprintf("%d bytes (%d MiB)", n, n>>20)
	case n >= 1<<10 && n%(1<<10) == 0:
		return fmt.Sprintf("%d bytes (%d KiB)", n, n>>10)
	case n == 1:
		return "1 byte"
	default:
		return fmt.Sprintf("%d bytes", n)
	}
}
