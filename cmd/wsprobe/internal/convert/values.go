package convert

import (
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// number is a number as programs write it.
var number = regexp.MustCompile(`^(\d+(?:\.\d+)?)\s*([A-Za-z]*)$`)

// duration reads a time with one of the units given, in which "" is that of a number alone.
func duration(value string, units map[string]time.Duration) (time.Duration, bool) {
	parts := number.FindStringSubmatch(strings.TrimSpace(value))
	if parts == nil {
		return 0, false
	}
	unit, known := units[strings.ToLower(parts[2])]
	n, err := strconv.ParseFloat(parts[1], 64)
	if !known || err != nil || n*float64(unit) > math.MaxInt64/2 {
		return 0, false
	}
	return time.Duration(n * float64(unit)).Round(time.Millisecond), true
}

// seconds are the units of Vector: it has numbers of seconds.
var seconds = map[string]time.Duration{"": time.Second}

// times are the units of Fluent Bit.
var times = map[string]time.Duration{
	"": time.Second, "s": time.Second, "m": time.Minute, "h": time.Hour, "d": 24 * time.Hour, "ms": time.Millisecond,
}

// bytesIn reads a number of bytes with one of the units given.
func bytesIn(value string, units map[string]int64) (int64, bool) {
	parts := number.FindStringSubmatch(strings.TrimSpace(value))
	if parts == nil {
		return 0, false
	}
	unit, known := units[strings.ToUpper(parts[2])]
	n, err := strconv.ParseFloat(parts[1], 64)
	if !known || err != nil || n*float64(unit) > math.MaxInt64/2 {
		return 0, false
	}
	return int64(n * float64(unit)), true
}

// sizes are the units of Fluent Bit, which counts a kilobyte as 1000 bytes. Vector has bytes.
var sizes = map[string]int64{
	"": 1, "B": 1, "K": 1000, "KB": 1000, "M": 1000_000, "MB": 1000_000, "G": 1000_000_000, "GB": 1000_000_000,
}

// shortSize writes a number of bytes in the largest unit that leaves a whole number.
func shortSize(n int64) string {
	units := []string{"B", "KiB", "MiB", "GiB", "TiB"}
	i := 0
	for n != 0 && n%1024 == 0 && i < len(units)-1 {
		n /= 1024
		i++
	}
	return strconv.FormatInt(n, 10) + units[i]
}

// shortDuration writes a time as people do: 1m and not 1m0s.
func shortDuration(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = s[:len(s)-2]
	}
	if strings.HasSuffix(s, "h0m") {
		s = s[:len(s)-2]
	}
	return s
}

// period sets a field that is a time, within the bounds of wsprobe.
func (c *conversion) period(l leaf, ours string, units map[string]time.Duration, least, most time.Duration) {
	value, ok := c.text(l)
	if !ok {
		return
	}
	if referring(value) {
		if _, err := strconv.Atoi(value[strings.LastIndexByte(value, '}')+1:]); err == nil || strings.HasSuffix(value, "}") {
			value += "s"
			c.note(l, "the variable must hold a number of seconds without a unit")
		}
		c.stream.set(ours, value)
		return
	}
	d, ok := duration(value, units)
	if !ok {
		problem := "must be a time"
		if len(units) == 1 {
			problem = "must be a number of seconds"
		}
		c.leave(l, problem)
		return
	}
	bounded := min(max(d, least), most)
	c.stream.set(ours, shortDuration(bounded))
	if bounded != d {
		c.remark(l, ours, "was "+shortDuration(d)+": wsprobe takes "+shortDuration(least)+" to "+shortDuration(most))
	}
}

// count sets a field that is a whole number, within the bounds of wsprobe.
func (c *conversion) count(l leaf, ours string, least, most int) {
	value, ok := c.text(l)
	if !ok {
		return
	}
	if referring(value) {
		c.stream.set(ours, value)
		return
	}
	n, err := strconv.Atoi(strings.TrimSpace(value))
	if err != nil {
		c.leave(l, "must be a whole number")
		return
	}
	bounded := min(max(n, least), most)
	c.stream.set(ours, bounded)
	if bounded != n {
		c.remark(l, ours, "was "+strconv.Itoa(n)+": wsprobe takes "+strconv.Itoa(least)+" to "+strconv.Itoa(most))
	}
}

// size sets a field that is a number of bytes, within the bounds of wsprobe.
func (c *conversion) size(l leaf, ours string, units map[string]int64, least, most int64) {
	value, ok := c.text(l)
	if !ok {
		return
	}
	if referring(value) {
		c.stream.set(ours, value+"B")
		c.note(l, "the variable must hold a number of bytes without a unit")
		return
	}
	n, ok := bytesIn(value, units)
	if !ok {
		c.leave(l, "must be a size")
		return
	}
	bounded := min(max(n, least), most)
	c.stream.set(ours, shortSize(bounded))
	if bounded != n {
		c.remark(l, ours, "was "+shortSize(n)+": wsprobe takes "+shortSize(least)+" to "+shortSize(most))
	}
}
