package probe

import "time"

// greetingWait is how long a run listens for a greeting before it sends. Servers write a greeting right behind the 101,
// but in a segment of its own, which can come a moment later. Without the wait, it would seem to answer a message that
// was sent at once. The wait is part of no value.
const greetingWait = 10 * time.Millisecond

// settle waits for a greeting before the first message on a connection. An exchange that began by waiting for the server
// has heard it already. The end of the wait stays the bound of the connection. What comes behind it is for fence.
func (d *dialogue) settle() {
	if d.used {
		return
	}
	until := time.Now().Add(min(greetingWait, d.probe.spec.Timeout/20))
	d.wire.Settle(until)
	d.res.Lag = max(d.res.Lag, time.Since(until))
}
