module github.com/wsprobe/wsprobe/deploy/e2e/lab

go 1.26.8

require github.com/coder/websocket v1.8.15
