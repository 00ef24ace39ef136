package match

import (
	"bytes"
	"encoding/json"
	"regexp"

	"github.com/wsprobe/wsprobe/probe/internal/say"
)

// framings are the envelopes that protocols put around JSON, with the look of a message in each.
var framings = []struct {
	looks *regexp.Regexp
	is    string
}{
	{regexp.MustCompile(`(?s)^\{.*\}\x1e$`), "JSON that ends in 0x1e, as in SignalR"},
	{regexp.MustCompile(`(?s)^\{.*\x1e`), "several messages of JSON that end in 0x1e, as in SignalR"},
	{regexp.MustCompile(`(?s)^a\[.*\]$|^c\[\d+,|^[oh]$`), "a frame of SockJS, such as a[\"...\"]"},
	{regexp.MustCompile(`(?s)^4[0-6](\d+-)?(/[^,]*,)?\d*[\[{]`), "a packet of Socket.IO, such as 42[\"...\"]"},
	{regexp.MustCompile(`(?s)^4[0-6]$|^4[0-6]/[^,]*,?$|^[0-6](probe)?$|^0\{.*\}$`),
		"a packet of Engine.IO, such as 0{...}"},
	{regexp.MustCompile(`(?s)^(CONNECTED|MESSAGE|RECEIPT|ERROR)\r?\n.*\x00`), "a frame of STOMP"},
	{regexp.MustCompile(`(?s)^[\{\[].*\x00$`), "JSON that ends in a NUL"},
	{regexp.MustCompile("(?s)^\xef\xbb\xbf|^\ufeff"), "text that begins with a byte order mark"},
	{regexp.MustCompile(`(?s)^\)\]\}'`), "JSON behind )]}', which keeps browsers from running it"},
	{regexp.MustCompile(`(?is)^\s*<(!doctype|html|\?xml)`), "HTML or XML"},
}

// noJSON says that a message is no JSON, and what it looks like instead if that is known.
func noJSON(last excerpt) string {
	const is = "the last one is no JSON"
	switch {
	case len(last.head) == 0:
		return say.Own(is + ": it is empty")
	case last.cut:
		return say.Own(is)
	}
	for _, f := range framings {
		if f.looks.Match(last.head) {
			return say.Own(is + " but " + f.is)
		}
	}
	dec := json.NewDecoder(bytes.NewReader(last.head))
	var first, second json.RawMessage
	switch err := dec.Decode(&first); {
	case err == nil && dec.Decode(&second) == nil:
		return say.Own(is + " but several documents, one behind the other")
	case err == nil:
		return say.Own(is + ": more stands behind its end")
	case !last.text:
		return say.Own(is + " but a binary message")
	default:
		return say.Own(is)
	}
}
