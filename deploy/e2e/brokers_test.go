package e2e

import (
	"net"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wsprobe/wsprobe/deploy/e2e/lab"
)

// startMosquitto starts an MQTT broker and returns its WebSocket address. Next to that listener it needs one
// that is none, or version 2.0.11 believes that it has none at all: a socket in the file system. Its
// WebSocket library takes a loopback address for all addresses unless it is kept to IPv4.
func startMosquitto(t *testing.T) (addr string) {
	t.Helper()
	addr = lab.FreeAddr(t)
	host, port, _ := net.SplitHostPort(addr)
	config := fileWith(t, "mosquitto.conf", `
user root
allow_anonymous true
listener 0 %s
listener %s %s
protocol websockets
socket_domain ipv4
`, filepath.Join(t.TempDir(), "mqtt"), port, host)
	listening(t, lab.Start(t, need(t, "mosquitto", "mosquitto"), "-v", "-c", config), addr)
	return addr
}

// startRabbitMQ starts a broker with STOMP over WebSocket and with more lines of configuration, and returns that address.
// The port mapper, without which Erlang does not start and which it would leave behind, is started here. The program that
// the package puts into everybody's PATH starts this one as another user.
func startRabbitMQ(t *testing.T, more ...string) (addr string) {
	t.Helper()
	server, mapper := need(t, "/usr/lib/rabbitmq/bin/rabbitmq-server", "rabbitmq-server"), need(t, "epmd", "erlang-base")
	addr = lab.FreeAddr(t)
	host, port, _ := net.SplitHostPort(addr)
	_, mapperPort, _ := net.SplitHostPort(lab.FreeAddr(t))
	_, nodePort, _ := net.SplitHostPort(lab.FreeAddr(t))
	config := fileWith(t, "rabbitmq.conf", `
listeners.tcp = none
log.console.level = warning
stomp.listeners.tcp = none
web_stomp.tcp.ip = %s
web_stomp.tcp.port = %s
%s
`, host, port, strings.Join(more, "\n"))
	home := t.TempDir()
	listening(t, lab.Start(t, mapper, "-port", mapperPort, "-address", host), net.JoinHostPort(host, mapperPort))
	broker := lab.StartWith(t, []string{
		"HOME=" + home,
		"ERL_EPMD_PORT=" + mapperPort,
		"RABBITMQ_NODENAME=wsprobe@localhost",
		"RABBITMQ_DIST_PORT=" + nodePort,
		"RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS=-kernel inet_dist_use_interface {127,0,0,1}",
		"RABBITMQ_CONFIG_FILE=" + config,
		"RABBITMQ_ENABLED_PLUGINS_FILE=" + fileWith(t, "enabled_plugins", "[rabbitmq_web_stomp]."),
		"RABBITMQ_MNESIA_BASE=" + filepath.Join(home, "data"),
		"RABBITMQ_LOG_BASE=" + filepath.Join(home, "log"),
		"RABBITMQ_LOGS=-",
	}, server)
	listening(t, broker, addr)
	return addr
}

// startProsody starts an XMPP server for the host localhost, without TLS and for anybody, and returns it with
// its WebSocket address.
func startProsody(t *testing.T) (server *lab.Process, addr string) {
	t.Helper()
	addr = lab.FreeAddr(t)
	host, port, _ := net.SplitHostPort(addr)
	data := t.TempDir()
	config := fileWith(t, "prosody.cfg.lua", `
run_as_root = true
data_path = %[1]q
certificates = %[1]q
pidfile = %[1]q .. "/prosody.pid"
log = "*console"
interfaces = { %[2]q }
http_interfaces = { %[2]q }
http_ports = { %[3]s }
https_ports = {}
c2s_ports = {}
modules_disabled = { "s2s", "tls" }
modules_enabled = { "saslauth", "websocket" }
consider_websocket_secure = true
authentication = "anonymous"
VirtualHost "localhost"
`, data, host, port)
	server = lab.Start(t, need(t, "prosody", "prosody"), "-F", "--config", config)
	listening(t, server, addr)
	return server, addr
}
