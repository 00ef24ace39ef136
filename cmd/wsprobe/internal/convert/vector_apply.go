package convert

import (
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/wsprobe/wsprobe/probe/session"
)

// vectorURI makes the url.
func vectorURI(c *conversion, l leaf) {
	value, ok := c.text(l)
	if !ok {
		return
	}
	a, known := parseAddress(value)
	if !known {
		c.oddURL(l, value)
		return
	}
	enabled := truths[strings.ToLower(c.get("tls.enabled"))]
	remark := ""
	switch {
	case a.scheme == "wss" && !enabled:
		remark = "wss:// alone turns TLS on; Vector also wants tls.enabled, which is not true here"
	case a.scheme == "ws" && enabled:
		if a.scheme = "wss"; !a.port() {
			a.host += ":80"
		}
		remark = "ws:// with tls.enabled is wss://"
	}
	c.setURL(l, a)
	if remark != "" {
		c.remark(l, "url", remark)
	}
}

// setURL sets url, without what the URL of a WebSocket has not.
func (c *conversion) setURL(l leaf, a address) {
	if a.userinfo != "" {
		c.userinfo(l, a.userinfo)
	}
	if a.fragment != "" {
		c.note(l, "the part from # on is left out: a URL of a WebSocket has none")
	}
	c.stream.set("url", a.String())
	if a.secretQuery() {
		c.remark(l, "url", plainSecret)
	}
}

// oddURL sets url to a value that shows no scheme.
func (c *conversion) oddURL(l leaf, value string) {
	c.stream.set("url", value)
	if referring(value) {
		c.note(l, "must be a ws:// or wss:// URL without user information")
	} else {
		c.remark(l, "url", "must begin with ws:// or wss://")
	}
}

// userinfo makes credentials of the user information of a URL.
func (c *conversion) userinfo(l leaf, info string) {
	if c.has("auth.strategy") {
		c.note(l, "the user information is left out: auth has the credentials")
		return
	}
	user, password, _ := strings.Cut(info, ":")
	for _, part := range []*string{&user, &password} {
		if decoded, err := url.PathUnescape(*part); err == nil && utf8.ValidString(decoded) {
			*part = decoded
		}
	}
	c.stream.set("auth.strategy", "basic")
	c.stream.set("auth.user", user)
	c.secret(l, "auth.password", password)
}

// vectorPingTimeout sets ping_timeout.
func vectorPingTimeout(c *conversion, l leaf) {
	c.period(l, "ping_timeout", seconds, session.MinInterval, session.MaxInterval)
	if c.stream.lookup("ping_timeout") != nil && !c.has("ping_interval") {
		c.remark(l, "ping_timeout", "Vector heeds it only beside ping_interval")
	}
}

// vectorAcknowledgements sets acknowledgements.
func vectorAcknowledgements(c *conversion, l leaf) {
	switch is, ok := c.truth(l); {
	case !ok:
	case is:
		c.stream.set("acknowledgements", "pong")
	default:
		c.note(l, "an event is kept until a Pong proves that it was read, all the same; acknowledgements: written is without that")
	}
}

// vectorBufferType sets buffer.type.
func vectorBufferType(c *conversion, l leaf) {
	value, ok := c.text(l)
	switch {
	case !ok:
	case value == "memory", referring(value):
		c.stream.set("buffer.type", value)
	case strings.HasPrefix(value, "disk"):
		c.disk(l, "Vector has it below its data_dir")
	default:
		c.leave(l, "must be memory or disk")
	}
}

// disk asks for a buffer on disk. The name of its directory is set when that of the stream is known.
func (c *conversion) disk(l leaf, why string) {
	c.stream.set("buffer.type", "disk")
	c.stream.set("buffer.dir", "/var/lib/wsprobe/streams")
	c.remark(l, "buffer.dir", "choose a directory of this stream alone; "+why)
}

// vectorWhenFull sets buffer.when_full.
func vectorWhenFull(c *conversion, l leaf) {
	value, ok := c.text(l)
	switch {
	case !ok:
	case value == "block":
		c.stream.set("buffer.when_full", "drop_newest")
		c.remark(l, "buffer.when_full", "was block: a probe never waits, so a new event is dropped and counted")
	case value == "drop_newest", referring(value):
		c.stream.set("buffer.when_full", value)
	case value == "overflow":
		c.leave(l, "there is one buffer, and nothing behind it")
	default:
		c.leave(l, "must be block or drop_newest")
	}
}

// vectorHealthcheck sets health_check.
func vectorHealthcheck(c *conversion, l leaf) {
	switch is, ok := c.truth(l); {
	case !ok:
	case is:
		c.stream.set("health_check", "log")
	default:
		c.stream.set("health_check", "off")
	}
}

// vectorProxy sets proxy_url.
func vectorProxy(c *conversion, l leaf) {
	if c.off("proxy.enabled") {
		c.stream.set("proxy_url", "")
		return
	}
	switch value, ok := c.text(l); {
	case !ok || l.path == "proxy.enabled":
	case c.secure != (l.path == "proxy.https"):
		c.leave(l, "the url has the other scheme")
	default:
		c.proxy(l, value)
		c.remark(l, "proxy_url", vectorNoProxy)
	}
}

const vectorNoProxy = "Vector's sink websocket connects without any proxy, whatever is set"

// proxy sets proxy_url, which may have a password.
func (c *conversion) proxy(l leaf, value string) {
	c.stream.set("proxy_url", value)
	if strings.Contains(value, "@") && !referring(value) {
		c.remark(l, "proxy_url", plainSecret)
	}
}

// vectorStrategy sets auth.strategy.
func vectorStrategy(c *conversion, l leaf) {
	value, ok := c.text(l)
	switch {
	case !ok, value == "custom":
	case value == "basic", value == "bearer", referring(value):
		c.stream.set("auth.strategy", value)
	case value == "aws":
		c.leave(l, noAWS)
	default:
		c.leave(l, "must be basic, bearer, custom or aws")
	}
}

// vectorAuth sets a field of a strategy.
func vectorAuth(strategy, ours string) func(*conversion, leaf) {
	return func(c *conversion, l leaf) {
		switch value, ok := c.text(l); {
		case !ok:
		case c.get("auth.strategy") != strategy && !referring(c.get("auth.strategy")):
			c.leave(l, "belongs to auth.strategy "+strategy)
		case ours == "auth.user":
			c.stream.set(ours, value)
		default:
			c.secret(l, ours, value)
		}
	}
}

// vectorDelimiter sets encoding.csv.delimiter.
func vectorDelimiter(c *conversion, l leaf) {
	switch value, ok := c.text(l); {
	case !ok:
	case c.get("encoding.codec") != "csv":
		c.leave(l, "belongs to the codec csv")
	case len([]rune(value)) != 1, strings.ContainsAny(value, "\"\r\n"):
		c.leave(l, "must be one character, and neither a quote nor a line break")
	default:
		c.stream.set("encoding.csv.delimiter", value)
	}
}
