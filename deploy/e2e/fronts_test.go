package e2e

import (
	"bytes"
	"net/http"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/wsprobe/wsprobe/deploy/e2e/lab"
)

// front is a proxy that can be reloaded, drained and started anew. Its limits are short: 3 s without traffic, and 2 s
// for the connections that a reload or a drain leaves behind.
type front struct {
	addr    string
	config  string // the path of the file
	process *lab.Process
	start   func(t *testing.T) *lab.Process
	reload  func(t *testing.T)
	drain   syscall.Signal
	owner   string // its name in the table of owners
	idles   bool   // it has an idle limit
	cut     ending // how it ends a session in use when it is drained
	// keeps: a session in use outlives a reload. Else it ends as by a drain.
	keeps bool
}

// ending is a way to end a session.
type ending struct {
	cause string
	code  int
}

var byFIN, byGoingAway = ending{"fin", 1006}, ending{"close", 1001}

// is reports whether a session ended so. A program that ends with bytes unread resets its connections in place of a FIN;
// the packets tell which it was.
func (e ending) is(got heldEvent) bool {
	return ends(e.cause, e.code)(got) || e == byFIN && ends("reset", byFIN.code)(got)
}

// serve starts the proxy.
func (f *front) serve(t *testing.T) {
	t.Helper()
	f.process = f.start(t)
	listening(t, f.process, f.addr)
}

// frontNginx is nginx. After a reload or a SIGQUIT, its worker leaves when worker_shutdown_timeout is over.
func frontNginx(t *testing.T, upstream string) *front {
	program, addr, dir := need(t, "nginx", "nginx-light"), lab.FreeAddr(t), t.TempDir()
	config := fileWith(t, "nginx.conf", `
daemon off;
worker_processes 1;
worker_shutdown_timeout 2s;
pid %[1]s/nginx.pid;
error_log stderr notice;
events {}
http {
  access_log off;
`+nginxPaths+`  server {
    listen %[2]s;
    location / {
      proxy_pass http://%[3]s;
      proxy_http_version 1.1;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection upgrade;
      proxy_read_timeout 3s;
    }
  }
}
`, dir, addr, upstream)
	f := &front{addr: addr, config: config, drain: syscall.SIGQUIT, owner: "nginx", idles: true, cut: byFIN}
	f.start = func(t *testing.T) *lab.Process { return lab.Start(t, program, "-p", dir, "-e", "stderr", "-c", config) }
	f.reload = func(t *testing.T) {
		change(t, config, "proxy_read_timeout 3s", "proxy_read_timeout 2900ms")
		f.process.Signal(t, syscall.SIGHUP)
	}
	return f
}

// frontHAProxy is HAProxy with a master. After a reload or a SIGUSR1, the worker leaves when hard-stop-after is over.
func frontHAProxy(t *testing.T, upstream string) *front {
	program, addr := need(t, "haproxy", "haproxy"), lab.FreeAddr(t)
	config := fileWith(t, "haproxy.cfg", `
global
  hard-stop-after 2s
defaults
  mode http
  timeout connect 2s
  timeout client 5s
  timeout server 5s
  timeout tunnel 3s
  retries 0
frontend front
  bind %s
  default_backend back
backend back
  server upstream %s
`, addr, upstream)
	f := &front{addr: addr, config: config, drain: syscall.SIGUSR1, owner: "HAProxy", idles: true, cut: byFIN}
	f.start = func(t *testing.T) *lab.Process { return lab.Start(t, program, "-W", "-db", "-f", config) }
	f.reload = func(t *testing.T) {
		change(t, config, "timeout tunnel 3s", "timeout tunnel 2900ms")
		f.process.Signal(t, syscall.SIGUSR2)
	}
	return f
}

// apacheHead is how the configuration of an Apache begins that is a proxy. The first value of the format is its folder.
const apacheHead = `
ServerName localhost
ServerRoot %[1]s
DefaultRuntimeDir %[1]s
PidFile %[1]s/pid
ErrorLog %[1]s/error.log
User www-data
Group www-data
LoadModule mpm_event_module /usr/lib/apache2/modules/mod_mpm_event.so
LoadModule authz_core_module /usr/lib/apache2/modules/mod_authz_core.so
LoadModule proxy_module /usr/lib/apache2/modules/mod_proxy.so
`

// frontApache is Apache httpd. Its old children go on after a reload; GracefulShutdownTimeout is for SIGWINCH.
func frontApache(t *testing.T, upstream string) *front {
	program, addr, dir := need(t, "apache2", "apache2-bin"), lab.FreeAddr(t), t.TempDir()
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	config := fileWith(t, "apache.conf", apacheHead+`LoadModule proxy_http_module /usr/lib/apache2/modules/mod_proxy_http.so
StartServers 1
GracefulShutdownTimeout 2
Timeout 3
Listen %[2]s
ProxyPass / http://%[3]s/ upgrade=websocket retry=0
`, dir, addr, upstream)
	f := &front{addr: addr, config: config, drain: syscall.SIGWINCH, owner: "Apache httpd", idles: true, cut: byFIN, keeps: true}
	f.start = func(t *testing.T) *lab.Process { return lab.Start(t, program, "-DFOREGROUND", "-f", config) }
	f.reload = func(t *testing.T) {
		change(t, config, "Timeout 3\n", "Timeout 4\n")
		f.process.Signal(t, syscall.SIGUSR1)
	}
	return f
}

// frontCaddy is Caddy, which has no idle limit. It ends every session with 1001 at a reload or a stop.
func frontCaddy(t *testing.T, upstream string) *front {
	program, addr, admin := need(t, "caddy", "caddy"), lab.FreeAddr(t), lab.FreeAddr(t)
	config := fileWith(t, "Caddyfile", `
{
	admin %s
	auto_https off
}
http://%s {
	reverse_proxy %s
}
`, admin, addr, upstream)
	home := t.TempDir()
	f := &front{addr: addr, config: config, drain: syscall.SIGTERM, owner: "Caddy", cut: byGoingAway}
	f.start = func(t *testing.T) *lab.Process {
		return lab.StartWith(t, []string{"HOME=" + home}, program, "run", "--adapter", "caddyfile", "--config", config)
	}
	f.reload = func(t *testing.T) {
		change(t, config, "reverse_proxy", "header X-Reloaded yes\n\treverse_proxy")
		data, err := os.ReadFile(config)
		if err != nil {
			t.Fatal(err)
		}
		response, err := http.Post("http://"+admin+"/load", "text/caddyfile", bytes.NewReader(data))
		if err != nil || response.StatusCode != http.StatusOK {
			t.Fatalf("reload: %v, %v", response, err)
		}
		response.Body.Close()
	}
	return f
}

// change replaces a text in a file.
func change(t *testing.T, file, old, replacement string) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(data, []byte(old)) {
		t.Fatalf("%s has no %q", filepath.Base(file), old)
	}
	if err := os.WriteFile(file, bytes.Replace(data, []byte(old), []byte(replacement), 1), 0o600); err != nil {
		t.Fatal(err)
	}
}
