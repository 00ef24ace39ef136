package config

import (
	"fmt"
	"regexp"
	"strconv"

	"github.com/wsprobe/wsprobe/config/internal/excerpt"
)

// size is a number of bytes as people write it. The units are those of IEC 80000-13: a megabyte means two things
// to two people.
var size = regexp.MustCompile(`^(0|[1-9][0-9]*)(B|KiB|MiB|GiB|TiB)?$`)

// units are the units of a size, by their power of 1024.
var units = []string{"B", "KiB", "MiB", "GiB", "TiB"}

func parseSize(f *Field, text string) (int64, string) {
	parts := size.FindStringSubmatch(text)
	if parts == nil {
		return 0, "must be a size with a unit, such as 64KiB or 256MiB, got " + excerpt.Quote(text)
	}
	n, err := strconv.ParseInt(parts[1], 10, 64)
	for i, unit := range units {
		if parts[2] == unit {
			factor := int64(1) << (10 * i)
			if n > f.Max/factor {
				n = f.Max + 1 // and not what is left of an overflow
			} else {
				n *= factor
			}
		}
	}
	if err != nil || n < f.Min || n > f.Max {
		return 0, fmt.Sprintf("must be between %s and %s, got %s", shortSize(f.Min), shortSize(f.Max), excerpt.Of(text))
	}
	return n, ""
}

// shortSize writes a size in the largest unit that leaves a whole number.
func shortSize(n int64) string {
	i := 0
	for n != 0 && n%1024 == 0 && i < len(units)-1 {
		n /= 1024
		i++
	}
	return strconv.FormatInt(n, 10) + units[i]
}
