package probe

import (
	"maps"
	"net/url"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"
)

// good is a Spec with nothing wrong in it.
var good = Spec{Opening: Opening{URL: "wss://example.com/socket"}}

// TestValidate breaks one thing, or a few, and expects exactly the faults named, as "Field" or "Field[Key]".
func TestValidate(t *testing.T) {
	roundTrip := func(s *Spec) { s.Interpretation, s.Send = RoundTripLatency, "ping" }
	header := func(name, value string) func(*Spec) {
		return func(s *Spec) { s.Headers = map[string]string{name: value} }
	}
	protocols := func(protocols ...string) func(*Spec) { return func(s *Spec) { s.Protocols = protocols } }
	numbered := func(n int) (all []string) {
		for i := range n {
			all = append(all, "p"+strconv.Itoa(i))
		}
		return all
	}
	for _, test := range []struct {
		name   string
		change func(*Spec)
		want   string // separated by blanks
	}{
		{"nothing", func(*Spec) {}, ""},
		{"timeout/least", func(s *Spec) { s.Timeout = MinTimeout }, ""},
		{"timeout/most", func(s *Spec) { s.Timeout = MaxTimeout }, ""},
		{"timeout/short", func(s *Spec) { s.Timeout = MinTimeout - 1 }, "Timeout"},
		{"timeout/long", func(s *Spec) { s.Timeout = MaxTimeout + 1 }, "Timeout"},
		{"timeout/negative", func(s *Spec) { s.Timeout = -time.Second }, "Timeout"},
		{"max reply/negative", func(s *Spec) { s.MaxReply = -1 }, "MaxReply"},
		{"compression", func(s *Spec) { s.Compression = CompressionOn }, ""},
		{"compression/unknown", func(s *Spec) { s.Compression = "gzip" }, "Compression"},
		{"user agent", func(s *Spec) { s.UserAgent = "a\r\nb" }, "UserAgent"},
		{"proxy", func(s *Spec) { s.Proxy = &url.URL{Scheme: "http", Host: "proxy:3128"} }, ""},

		{"round trip", roundTrip, ""},
		{"round trip/expect", func(s *Spec) { roundTrip(s); s.Expect = "\xff any bytes" }, ""},
		{"round trip/nothing to send", func(s *Spec) { s.Interpretation = RoundTripLatency }, "Send"},
		{"round trip/frame", func(s *Spec) { s.Interpretation, s.PingMode = RoundTripLatency, PingFrame }, ""},
		{"round trip/frame and message", func(s *Spec) {
			roundTrip(s)
			s.PingMode, s.Expect = PingFrame, "x"
		}, "Send Expect"},
		{"round trip/none", func(s *Spec) { roundTrip(s); s.PingMode = PingNone }, "PingMode"},
		{"handshake/none", func(s *Spec) { s.PingMode = PingNone }, ""},
		{"handshake/frame", func(s *Spec) { s.PingMode = PingFrame }, "PingMode"},
		{"handshake/message", func(s *Spec) { s.PingMode, s.Send = PingMessage, "x" }, "PingMode"},
		{"handshake/send and expect", func(s *Spec) { s.Send, s.Expect = "x", "y" }, "Send Expect"},
		{"success/frame", func(s *Spec) { s.Interpretation, s.PingMode = ConnectionSuccess, PingFrame }, "PingMode"},
		{"interpretation", func(s *Spec) { roundTrip(s); s.Interpretation = "latency" }, "Interpretation"},
		{"ping mode", func(s *Spec) { s.Send, s.PingMode = "x", "ping" }, "PingMode"},
		{"interpretation and ping mode", func(s *Spec) {
			s.Interpretation, s.PingMode = "x", "y"
		}, "Interpretation PingMode"},
		{"send/limit", func(s *Spec) { roundTrip(s); s.Send = strings.Repeat("x", MaxSendBytes) }, ""},
		{"send/long", func(s *Spec) { roundTrip(s); s.Send = strings.Repeat("x", MaxSendBytes+1) }, "Send"},
		{"send/not UTF-8", func(s *Spec) { roundTrip(s); s.Send = "\xff" }, "Send"},
		{"expect/limit", func(s *Spec) { roundTrip(s); s.Expect = strings.Repeat("x", MaxExpectBytes) }, ""},
		{"expect/long", func(s *Spec) { roundTrip(s); s.Expect = strings.Repeat("x", MaxExpectBytes+1) }, "Expect"},

		{"protocols", protocols("chat.v2", "!#$%&'*+-.^_`|~", strings.Repeat("p", MaxProtocolLen), "CHAT.V2"), ""},
		{"protocols/limit", protocols(numbered(MaxProtocols)...), ""},
		{"protocols/limit together",
			protocols(strings.Repeat("p", MaxProtocolLen), strings.Repeat("q", MaxProtocolBytes-MaxProtocolLen)), ""},
		{"protocols/long together",
			protocols(strings.Repeat("p", MaxProtocolLen), strings.Repeat("q", MaxProtocolBytes-MaxProtocolLen), "r"),
			"Protocols"},
		{"protocols/many", protocols(numbered(MaxProtocols + 1)...), "Protocols"},
		{"protocols/wrong", protocols("", "a b", "a,b", "ä", "ok", strings.Repeat("p", MaxProtocolLen+1), "ok"),
			"Protocols[0] Protocols[1] Protocols[2] Protocols[3] Protocols[5] Protocols[6]"},

		{"headers", func(s *Spec) {
			s.Headers = map[string]string{"Origin": "https://example.com", "origin2": "", "Cookie": "a=b; c=\"d\"\te",
				"X":          "gr\xfc\xdf",
				"User-Agent": "Mozilla/5.0", "Authorization": "Bearer x", "host": "example.com:8080"}
		}, ""},
		{"headers/twice", func(s *Spec) { s.Headers = map[string]string{"A": "x", "a": "x", "b": "x"} }, "Headers[a]"},
		{"headers/name empty", header("", "x"), "Headers"},
		{"headers/name blank", header("A B", "x"), "Headers[A B]"},
		{"headers/name colon", header("A:", "x"), "Headers[A:]"},
		{"headers/name not ASCII", header("Ä", "x"), "Headers[Ä]"},
		{"headers/value CR LF", header("A", "x\r\nB: y"), "Headers[A]"},
		{"headers/value NUL", header("A", "x\x00"), "Headers[A]"},
		{"headers/value DEL", header("A", "x\x7f"), "Headers[A]"},
		{"headers/value blank first", header("A", " x"), "Headers[A]"},
		{"headers/value tab last", header("A", "x\t"), "Headers[A]"},
		{"headers/host with a path", header("Host", "example.com/"), "Headers[Host]"},
		{"headers/host port", header("HOST", "example.com:0"), "Headers[HOST]"},
		{"headers/host empty", header("Host", ""), "Headers[Host]"},
		{"headers/large", header("A", strings.Repeat("x", MaxHeaderBytes)), "Headers"},
		{"headers/many", func(s *Spec) {
			s.Headers = map[string]string{}
			for _, name := range numbered(MaxHeaders + 1) {
				s.Headers[name] = "x"
			}
		}, "Headers"},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := good
			test.change(&s)
			before := s
			var got []string
			for _, f := range s.Validate() {
				place := f.Field
				if f.Key != "" {
					place += "[" + f.Key + "]"
				}
				got = append(got, place)
				if _, ok := reflect.TypeFor[Spec]().FieldByName(f.Field); !ok || f.Problem == "" {
					t.Errorf("fault %+v names no field or no problem", f)
				}
			}
			if joined := strings.Join(got, " "); joined != test.want {
				t.Errorf("faults %q, want %q", joined, test.want)
			}
			if !reflect.DeepEqual(s, before) {
				t.Error("Validate changed the Spec")
			}
		})
	}
}

// TestValidateForbiddenHeaders: what the handshake sets, and what an upgrade cannot have, is refused in any case of
// letters.
func TestValidateForbiddenHeaders(t *testing.T) {
	for _, name := range []string{
		"Sec-WebSocket-Key", "Sec-WebSocket-Version", "Sec-WebSocket-Protocol", "Sec-WebSocket-Extensions",
		"Sec-WebSocket-Accept",
		"Sec-WebSocket-Anything", "Connection", "Upgrade", "Content-Length", "Transfer-Encoding", "TE", "Trailer",
		"Keep-Alive",
		"Expect", "HTTP2-Settings", "Proxy-Authorization", "Proxy-Connection",
	} {
		for _, spelled := range []string{name, strings.ToLower(name), strings.ToUpper(name)} {
			s := good
			s.Headers = map[string]string{spelled: "secret"}
			faults := s.Validate()
			if len(faults) != 1 || faults[0].Key != spelled || !faults[0].NotAllowed {
				t.Errorf("%s: %+v, want one fault that says that it is not allowed", spelled, faults)
			}
		}
	}
}

func TestValidateURL(t *testing.T) {
	label := strings.Repeat("a", 63)
	for raw, want := range map[string]int{ // the number of problems
		"ws://example.com":                              0,
		"WSS://EXAMPLE.COM:443/Path?Query":              0,
		"ws://example.com.":                             0,
		"ws://localhost:8080/":                          0,
		"ws://a":                                        0,
		"ws://my_service.internal":                      0,
		"ws://r3---sn-4g5e.example.com":                 0,
		"ws://" + label + ".com":                        0,
		"ws://127.0.0.1:1":                              0,
		"ws://[::1]:65535/":                             0,
		"ws://[2001:db8::1]":                            0,
		"ws://[fe80::1%25eth0]/":                        0,
		"ws://bücher.example/":                          0,
		"ws://xn--bcher-kva.example/":                   0,
		"ws://example.com/%41?q=%2f&r=a:b@c//d":         0,
		"ws://example.com?q":                            0,
		"ws://example.com/" + strings.Repeat("x", 8000): 0,

		"":                          1,
		"example.com":               1,
		"//example.com":             1,
		"ws:example.com":            1,
		"ws:/example.com":           1,
		"http://example.com":        1,
		"https://example.com":       1,
		"wsss://example.com":        1,
		"ftp://example.com":         1,
		" ws://example.com":         1,
		"ws://example.com/a b":      1,
		"ws://example.com/\x00":     1,
		"ws://example.com/\n":       1,
		"ws://":                     1,
		"ws:///path":                1,
		"ws://?query":               1,
		"ws://:80":                  1,
		"ws://example.com:":         1,
		"ws://example.com:0":        1,
		"ws://example.com:65536":    1,
		"ws://example.com:80a":      1,
		"ws://example.com:-1":       1,
		"ws://example.com:+80":      1,
		"ws://user@example.com":     1,
		"ws://u:secret@example.com": 1,
		"ws://@example.com":         1,
		"ws://example.com#":         1,
		"ws://example.com/#x":       1,
		"ws://example.com/%":        1,
		"ws://example.com/%4":       1,
		"ws://example.com/?q=%g0":   1,
		"ws://example.com/ü":        1,
		"ws://example.com/?q=ü":     1,
		"ws://example..com":         1,
		"ws://.example.com":         1,
		"ws://-a.com":               1,
		"ws://a-.com":               1,
		"ws://a" + label + ".com":   1,
		"ws://" + strings.Repeat(label+".", 4) + "com": 1,
		"ws://exam%70le.com":                           1,
		"ws://exam!ple.com":                            1,
		"ws://example.com\\x":                          1,
		"ws://xn--a":                                   1,
		"ws://\u2024com":                               1,
		"ws://1.2.3":                                   1,
		"ws://1.2.3.256":                               1,
		"ws://1.2.3.4.5":                               1,
		"ws://01.2.3.4":                                1,
		"ws://12345":                                   1,
		"ws://::1":                                     1,
		"ws://[::1":                                    1,
		"ws://[1.2.3.4]":                               1,
		"ws://[::1]x":                                  1,
		"ws://[]":                                      1,
		"ws://example.com/" + strings.Repeat("x", MaxURLBytes): 1,

		"ws://user:secret@-a:0/%?ü#": 6,
		"ws://-a:99999":              2,
	} {
		s := Spec{Opening: Opening{URL: raw}}
		faults := s.Validate()
		if len(faults) != want {
			t.Errorf("%.60q: %v, want %d faults", raw, faults, want)
		}
		for _, f := range faults {
			if strings.Contains(f.Error(), "secret") || strings.Contains(f.Error(), "user@") {
				t.Errorf("%q: a secret is repeated: %v", raw, f)
			}
		}
	}
}

// TestValidateKeepsSecrets: no fault repeats a header, a message or a part of the URL.
func TestValidateKeepsSecrets(t *testing.T) {
	const secret = "hunter2"
	s := Spec{
		Opening: Opening{
			URL:       "ws://user:" + secret + "@" + secret + ":0/" + secret + "?token=" + secret + "%#" + secret,
			UserAgent: secret + "\n",
			Protocols: []string{secret, secret},
			Headers:   map[string]string{"Authorization": secret + "\r\n", "Host": secret + "/", "Connection": secret},
			Proxy:     &url.URL{Scheme: "socks5", Host: secret, User: url.UserPassword(secret, secret)},
		},
		Send:   secret + "\xff",
		Expect: secret,
	}
	faults := s.Validate()
	if len(faults) < 10 {
		t.Errorf("only %d faults: %v", len(faults), faults)
	}
	for _, f := range faults {
		if strings.Contains(f.Error(), secret) {
			t.Errorf("a secret is repeated: %v", f)
		}
	}
}

func TestWithDefaults(t *testing.T) {
	want := Spec{
		Opening:        Opening{UserAgent: "wsprobe", IPVersion: IPAny, Compression: CompressionOff},
		Interpretation: HandshakeLatency, Timeout: 10 * time.Second, PingMode: PingNone, MaxReply: 1 << 20,
		MessageFormat: FormatText,
	}
	if got := (Spec{}).WithDefaults(); !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if got := (Spec{Interpretation: RoundTripLatency}).WithDefaults().PingMode; got != PingMessage {
		t.Errorf("ping mode of a round trip: %s, want message", got)
	}
	s := Spec{
		Opening: Opening{URL: "x", UserAgent: "u", IPVersion: IPv6, Compression: CompressionOn,
			Headers: map[string]string{"a": "b"}},
		Interpretation: ConnectionSuccess, Timeout: 1, PingMode: PingFrame, Send: "s", MaxReply: 5,
		MessageFormat: FormatHex,
	}
	if got := s.WithDefaults(); !reflect.DeepEqual(got, s) || !maps.Equal(got.Headers, s.Headers) {
		t.Errorf("WithDefaults changed %+v into %+v", s, got)
	}
}
