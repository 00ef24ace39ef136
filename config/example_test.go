package config_test

import (
	"errors"
	"fmt"
	"log"
	"os"

	"github.com/wsprobe/wsprobe/config"
	"github.com/wsprobe/wsprobe/config/discovery"
)

func ExampleLoad() {
	text := `
defaults: {interval: 30s, timeout_ms: 5000}
probes:
  - name: chat
    url: wss://chat.example.com/socket
    interpretation: round_trip_latency
    send_message: '{"op":"ping"}'
    expect_message: '"op":"pong"'
`
	if err := os.WriteFile("example.yaml", []byte(text), 0o600); err != nil {
		log.Fatal(err)
	}
	defer os.Remove("example.yaml")

	c, err := config.Load("example.yaml")
	if err != nil {
		log.Fatal(err)
	}
	p := c.Probes[0]
	fmt.Println(p.Name, p.Interval, p.Spec.Timeout, p.Spec.PingMode)
	// Output: chat 30s 5s message
}

func ExampleParse() {
	c, err := config.Parse("inline.yaml", []byte("probes: [{name: chat, url: wss://chat.example.com/}]"))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(c.Probes[0].Name, c.Probes[0].Spec.Interpretation)
	// Output: chat handshake_latency
}

func ExampleDiscover_Probe() {
	c, err := config.Parse("wsprobe.yaml", []byte(`
modules:
  - {name: chat, interval: 10s}
discover:
  - {module: chat, url: "wss://{{target.address}}/socket", files: ["targets/*.json"]}
`))
	if err != nil {
		log.Fatal(err)
	}
	for _, address := range []string{"a.example.com", "b.example.com:8443", "not a host"} {
		p, err := c.Discover[0].Probe(discovery.Target{Address: address, Labels: map[string]string{"team": "web"}})
		if err != nil {
			fmt.Println(err)
			continue
		}
		fmt.Println(p.Name, p.Spec.URL, p.Interval, p.Labels)
	}
	// Output:
	// chat/a.example.com wss://a.example.com/socket 10s map[team:web]
	// chat/b.example.com:8443 wss://b.example.com:8443/socket 10s map[team:web]
	// wsprobe.yaml:5:25: url: must not contain blanks or control characters
}

func ExampleError() {
	text := `
probes:
  - name: chat
    url: https://chat.example.com/socket
    timeout_ms: 50
    header: {Origin: https://example.com}
`
	if err := os.WriteFile("bad.yaml", []byte(text), 0o600); err != nil {
		log.Fatal(err)
	}
	defer os.Remove("bad.yaml")

	_, err := config.Load("bad.yaml")
	fmt.Println(err)

	var faults *config.Error
	if errors.As(err, &faults) {
		fmt.Println(len(faults.Faults), "faults, the first in line", faults.Faults[0].Line)
	}
	// Output:
	// bad.yaml:4:10: probes[0].url: must begin with wss:// instead of https://
	// bad.yaml:5:17: probes[0].timeout_ms: must be between 100 and 30000, got 50
	// bad.yaml:6:5: probes[0].header: is no field of a probe, did you mean headers?
	// 3 faults, the first in line 4
}
