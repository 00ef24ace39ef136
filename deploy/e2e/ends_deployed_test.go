package e2e

import (
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/wsprobe/wsprobe/deploy/e2e/lab"
)

// deployed is a server that can be stopped.
type deployed struct {
	addr string
	stop func(t *testing.T)
}

// terminated is a server that SIGTERM stops.
func terminated(server *lab.Process, addr string) deployed {
	return deployed{addr, func(t *testing.T) {
		t.Helper()
		server.Signal(t, syscall.SIGTERM)
	}}
}

// startUvicorn starts an echo server on Uvicorn, which pings its clients every second.
func startUvicorn(t *testing.T, library string) deployed {
	t.Helper()
	addr := lab.FreeAddr(t)
	host, port, _ := strings.Cut(addr, ":")
	server := lab.Start(t, needPython(t, "uvicorn", library), "-B", "-m", "uvicorn", "--app-dir", servers(t, ""), "asgi:echo",
		"--host", host, "--port", port, "--ws", library, "--ws-ping-interval", "1", "--ws-ping-timeout", "1")
	listening(t, server, addr)
	return terminated(server, addr)
}

// startMojolicious starts an echo server on Mojolicious with variables of its environment.
func startMojolicious(t *testing.T, env ...string) deployed {
	t.Helper()
	perl := need(t, "perl", "perl")
	if exec.CommandContext(t.Context(), perl, "-MMojolicious", "-e", "1").Run() != nil {
		missing(t, "Mojolicious is not installed (Debian: apt-get install libmojolicious-perl)")
	}
	addr := lab.FreeAddr(t)
	server := lab.StartWith(t, env, perl, servers(t, "echo.pl"), "daemon", "-l", "http://"+addr)
	listening(t, server, addr)
	return terminated(server, addr)
}

// startNghttpx starts a proxy with more flags, and a server behind it.
func startNghttpx(t *testing.T, flags ...string) deployed {
	t.Helper()
	program, addr := need(t, "nghttpx", "nghttp2-proxy"), lab.FreeAddr(t)
	_, upstream := startNode(t, "held.mjs")
	comma := strings.NewReplacer(":", ",")
	args := append([]string{"-f" + comma.Replace(addr) + ";no-tls", "-b" + comma.Replace(upstream), "--workers=1", "--errorlog-file=/dev/stderr", "--conf=/dev/null"}, flags...)
	server := lab.Start(t, program, args...)
	listening(t, server, addr)
	return terminated(server, addr)
}
