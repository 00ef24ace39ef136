package main

import (
	"sync/atomic"

	"github.com/wsprobe/wsprobe/probe/wstest"
)

// moody refuses its first visits, then it works.
func moody(visits int64) wstest.Script {
	var seen atomic.Int64
	return func(c *wstest.Conn) {
		if seen.Add(1) <= visits {
			c.Refuse(503, "busy\n")
		}
		wstest.Echo(c)
	}
}
