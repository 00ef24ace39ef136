package probe

import "time"

// greetingWait is how long a run listens for a greeting before it sends. Servers write it right behind the
// 101, but in a segment of its own, which can come a moment later: sent to at once, they would seem to have
// answered before they could. The wait is part of no value.
const greetingWait = 10 * time.Millisecond

// settle waits, before the first message, for what a server says of its own accord when the socket opens. An exchange
// that began by waiting for the server has heard it. The connection is left with the bound of the wait.
func (d *dialogue) settle() {
	if d.turn > 0 {
		return
	}
	until := time.Now().Add(min(greetingWait, d.probe.spec.Timeout/20))
	d.raw.SetEnd(until)
	d.wire.Listen()
	d.res.Lag = max(d.res.Lag, time.Since(until))
}
