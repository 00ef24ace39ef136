package e2e

import (
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/wsprobe/wsprobe/deploy/e2e/lab"
)

// startPythonEcho starts an echo server that stands on another library than those of Node.js. It pings its clients
// every so many seconds, by default 20, and waits as long for the answers. Further arguments are the Origins that it
// takes, by default all.
func startPythonEcho(t *testing.T, arguments ...string) (server *lab.Process, addr string) {
	t.Helper()
	server = lab.Start(t, needPython(t, "websockets"), append([]string{servers(t, "echo.py")}, arguments...)...)
	return server, announced(t, server, `(?m)^listening on (\S+)$`)
}

// needPython returns the interpreter that Debian's packages are for, which must have some of them.
func needPython(t *testing.T, packages ...string) string {
	t.Helper()
	python := need(t, "/usr/bin/python3", "python3")
	for _, name := range packages {
		if exec.CommandContext(t.Context(), python, "-c", "import "+name).Run() != nil {
			missing(t, "the Python package %[1]s is not installed (Debian: apt-get install python3-%[1]s)", name)
		}
	}
	return python
}

// servers is the path of a file of that folder.
func servers(t *testing.T, file string) string {
	t.Helper()
	path, err := filepath.Abs(filepath.Join("servers", file))
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// nginxHead is how the configuration of an nginx of one process begins. The first value of the format is its folder.
const nginxHead = `
daemon off;
master_process off;
pid %[1]s/nginx.pid;
error_log stderr info;
events {}
http {
  access_log off;
` + nginxPaths

// nginxPaths are where nginx keeps files, below the folder that is the first value of a format.
const nginxPaths = `  client_body_temp_path %[1]s/body;
  proxy_temp_path %[1]s/proxy;
  fastcgi_temp_path %[1]s/fastcgi;
  uwsgi_temp_path %[1]s/uwsgi;
  scgi_temp_path %[1]s/scgi;
`

// startNginx starts a proxy in front of an upstream: /ws/ is set up for WebSocket as nginx's manual says, and
// /forgotten/ is what people have before they read it.
func startNginx(t *testing.T, upstream string) (addr string) {
	t.Helper()
	addr = lab.FreeAddr(t)
	dir := t.TempDir()
	config := fileWith(t, "nginx.conf", nginxHead+`  server {
    listen %[2]s;
    location /ws/ {
      proxy_pass http://%[3]s;
      proxy_http_version 1.1;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection upgrade;
    }
    location /forgotten/ {
      proxy_pass http://%[3]s;
    }
  }
}
`, dir, addr, upstream)
	listening(t, lab.Start(t, need(t, "nginx", "nginx-light"), "-p", dir, "-e", "stderr", "-c", config), addr)
	return addr
}

// startHAProxy starts a proxy in front of an upstream, which it does not look after.
func startHAProxy(t *testing.T, upstream string) (addr string) {
	t.Helper()
	addr = lab.FreeAddr(t)
	config := fileWith(t, "haproxy.cfg", `
defaults
  mode http
  timeout connect 2s
  timeout client 5s
  timeout server 5s
frontend front
  bind %s
  default_backend back
backend back
  server upstream %s
`, addr, upstream)
	listening(t, lab.Start(t, need(t, "haproxy", "haproxy"), "-db", "-f", config), addr)
	return addr
}

// TestBehindProxies probes an echo server through the proxies that endpoints usually stand behind. They must
// change neither the answer nor how the server is left; and when it is their fault, the result says so.
func TestBehindProxies(t *testing.T) {
	for name, proxy := range map[string]func(t *testing.T, upstream string) string{
		"nginx": startNginx, "haproxy": startHAProxy,
	} {
		t.Run(name, func(t *testing.T) {
			server, upstream := startPythonEcho(t)
			addr := proxy(t, upstream)
			got := once(t, 0, nil, "ws://"+addr+"/ws/", "--send", "anybody there?", "--expect", "anybody there?")
			if got.Reason != "ok" || got.RoundTripMS == nil {
				t.Errorf("got %+v, want a round trip", got)
			}
			closedCleanly(t, server, 1, "1000")

			server.Kill(t)
			if got := once(t, 1, nil, "ws://"+addr+"/ws/"); got.Reason != "ws_open_failed" || got.HTTPStatus < 502 || got.HTTPStatus > 504 {
				t.Errorf("without the server: got %+v, want ws_open_failed with a status of the proxy", got)
			}
		})
	}
}

// TestForgottenUpgrade probes through a proxy that does not pass the upgrade on, so that the server is asked for a
// page, which it does not have.
func TestForgottenUpgrade(t *testing.T) {
	_, upstream := startPythonEcho(t)
	got := once(t, 1, nil, "ws://"+startNginx(t, upstream)+"/forgotten/")
	if got.Reason != "ws_open_failed" || got.HTTPStatus < 400 || got.HTTPStatus > 499 {
		t.Errorf("reason %q, error type %q; want ws_open_failed, http_4xx", got.Reason, got.ErrorType)
	}
}
