package session

import "time"

// Owner is a product whose default, or whose habit at a stop, ends sessions in one way. Each was measured with the
// version that is named.
type Owner struct {
	Product, Version string
	Setting          string // the setting or the deed that is the reason
	Limit            Limit
	After            time.Duration // of the limit; 0 for one that has no default
	Cause            Cause
	Code             int    // of a close frame, else 1006
	CloseReason      string // of a close frame, empty for any
	// Late is how much later than After the end may come, of a product that looks at intervals.
	Late time.Duration
}

// Owners returns the table of the owners.
func Owners() []Owner {
	const second = time.Second
	return []Owner{
		{"nginx", "1.22.1", "proxy_read_timeout", IdleLimit, 60 * second, ByFIN, 1006, "", 0},
		{"Apache httpd", "2.4.71", "Timeout, ProxyTimeout", IdleLimit, 60 * second, ByFIN, 1006, "", 0},
		{"nghttpx", "1.52", "its read timeout", IdleLimit, 60 * second, ByFIN, 1006, "", 0},
		{"HAProxy", "2.6.12", "timeout tunnel, or timeout client and timeout server", IdleLimit, 0, ByFIN, 1006, "", 0},
		{"Mojolicious", "9.31", "its inactivity timeout", IdleLimit, 30 * second, ByFIN, 1006, "", 0},
		{"RabbitMQ web_mqtt and web_stomp", "3.10.8", "their idle timeout", IdleLimit, 60 * second, ByClose, 1000, "", 0},
		{"aedes", "1.2.0", "no CONNECT packet came", LifetimeLimit, 30 * second, ByFIN, 1006, "", 0},
		{"mosquitto", "2.0.11", "no CONNECT packet came", LifetimeLimit, 90 * second, ByFIN, 1006, "", 7 * second},
		{"graphql-ws", "6.4.2", "no connection_init came", LifetimeLimit, 3 * second, ByClose, 4408, "", 0},
		{"Centrifugo", "6.9.1", "no connect command came", LifetimeLimit, 10 * second, ByClose, 3502, "stale", 0},
		{"Centrifugo", "6.9.1", "its pings, the text {}, were not answered", NoLimit, 0, ByClose, 3012, "no pong", 0},
		{"Socket.IO", "4.8.4", "its pings, the text 2, were not answered by 3", LifetimeLimit, 45 * second, ByClose, 1005, "", 0},
		{"websockets and Uvicorn", "10.4 and 0.17.6", "their Pings were not answered", NoLimit, 0, ByClose, 1011, "keepalive ping timeout", 0},
		{"Deno", "2.9.6", "its Pings were not answered", NoLimit, 0, ByClose, 1001, "No response from ping frame.", 0},
		{"SockJS", "0.3.24", "its Pings were not answered", NoLimit, 0, ByClose, 1000, "Normal closure", 0},
		{"Caddy", "2.11.9", "a reload or a stop", NoLimit, 0, ByClose, 1001, "", 0},
		{"Tomcat", "10.1", "a stop", NoLimit, 0, ByClose, 1001, "The web application is stopping", 0},
		{"NATS", "2.15.2", "a stop", NoLimit, 0, ByClose, 1001, "Server Shutdown", 0},
		{"Uvicorn with wsproto", "0.17.6", "a stop", NoLimit, 0, ByClose, 1012, "", 0},
		{"Centrifugo", "6.9.1", "a stop", NoLimit, 0, ByClose, 3001, "shutdown", 0},
		{"prosody", "0.12.3", "a stop", NoLimit, 0, ByClose, 1000, "Stream closed", 0},
		{"ganache", "7.9.2", "a stop", NoLimit, 0, ByClose, 1000, "Server closed by client", 0},
	}
}

// ends reports whether the owner ends a session so. A server that waits for a first packet has sent no message before.
func (o *Owner) ends(end *End) bool {
	if o.Limit == LifetimeLimit && o.Cause == ByFIN && end.Totals.Messages > 0 {
		return false
	}
	return o.Cause == end.Cause && o.Code == end.Code && (o.CloseReason == "" || o.CloseReason == end.CloseReason)
}

// at reports whether a time is that of the owner's default.
func (o *Owner) at(after time.Duration) bool {
	return after >= o.After-habitWidth && after <= o.After+o.Late+habitWidth
}

// ownersOf returns the owners that an end fits, for a limit or for none. The surest come first: those whose time or
// whose words fit.
func ownersOf(end *End, limit Limit, after time.Duration) []Owner {
	var sure, vague []Owner
	for _, o := range Owners() {
		switch {
		case o.Limit != limit || !o.ends(end) || o.After > 0 && !o.at(after):
		case o.After > 0 || o.CloseReason != "":
			sure = append(sure, o)
		default:
			vague = append(vague, o)
		}
	}
	return append(sure, vague...)
}

// changedOf returns the owners that end so at another time, unless that was set. A bare end after some lifetime is too
// common for that.
func changedOf(end *End, limit Limit) (owners []Owner) {
	for _, o := range Owners() {
		if o.After > 0 && o.Limit == limit && o.ends(end) && (limit == IdleLimit || o.Cause == ByClose) {
			owners = append(owners, o)
		}
	}
	return owners
}
