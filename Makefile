# Three verbs for every day (fmt, lint, test), and what goes into an image or a release.

STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2
VERSION     ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LDFLAGS     := -s -w -X main.version=$(VERSION)
MODULES     := . probe/session/bench cmd/wsprobe/internal/stream/bench deploy/collector deploy/e2e deploy/e2e/lab
BACKENDS    := $(addprefix deploy/e2e/,prometheus victoriametrics forms jaeger loki)
OTHERS      := windows darwin
CA_BUNDLES  := /etc/ssl/certs/ca-certificates.crt /etc/pki/tls/certs/ca-bundle.crt /etc/ssl/cert.pem

.PHONY: run test lint fmt e2e e2e-long build collector bench bench-sessions bench-streams clean

# `go run` and make both call Ctrl-C an error; the demo itself ends with 0. So: a built binary, and a shell that leaves
# the signal to it. The binary is not bin/wsprobe: images are made of that one, and it must be static.
run: ## the demo: endpoints, agent and back end in one process
	@go build -o bin/demo/wsprobe ./cmd/wsprobe
	@trap '' INT; bin/demo/wsprobe demo

test: ## every test of the agent, under the race detector
	go test -race ./...

lint: ## gofmt, go vet and staticcheck, in every module but those of e2e-long; go vet for the other systems of wsprobe
	@bad="$$(gofmt -l cmd config deploy probe reasons scheduler)"; \
	if [ -n "$$bad" ]; then echo "not formatted (make fmt):"; echo "$$bad"; exit 1; fi
	$(call lint-modules,$(MODULES))
	@for system in $(OTHERS); do echo "vet for $$system"; GOOS=$$system CGO_ENABLED=0 go vet ./... || exit 1; done

define lint-modules
	@for module in $(1); do \
		echo "lint $$module"; \
		(cd $$module && go vet ./... && go run $(STATICCHECK) ./...) || exit 1; \
	done
endef

fmt: ## format everything
	gofmt -w cmd config deploy probe reasons scheduler

e2e: ## the real agent against real servers, a real Collector and a real Prometheus of the distribution
	cd deploy/e2e && go test -race -count=1 -parallel 8 ./...

e2e-long: ## default limits of real servers; a day of events; reloads under load; 100,000 probes; long outages and alerts, with back ends that take long to build; lints these
	cd deploy/e2e && WSPROBE_E2E_LONG=1 go test -count=1 -parallel 9 -timeout 30m -run 'TestDefaultsOfServers|TestStream|TestReload(UnderLoad|KeepsSessions)' .
	cd deploy/e2e && WSPROBE_E2E_LONG=1 go test -count=1 -timeout 1h -run TestHundredThousandProbes .
	$(call lint-modules,$(BACKENDS))
	for module in $(BACKENDS); do (cd $$module && go test -count=1 -timeout 30m ./...) || exit 1; done

bench: ## every benchmark, briefly
	go test -run '^$$' -bench . -benchmem ./...

bench-sessions: ## what an open session costs, beside other WebSocket clients
	cd probe/session/bench && go build -o ../../../bin/bench . && ../../../bin/bench && ../../../bin/bench -wss

bench-streams: ## what the delivery of an event costs, beside a loop by hand
	cd cmd/wsprobe/internal/stream/bench && go build -o ../../../../../bin/bench-streams . && ../../../../../bin/bench-streams

build: bin/wsprobe bin/ca-certificates.crt ## a static binary and the certificate authorities for its image

.PHONY: bin/wsprobe
bin/wsprobe:
	CGO_ENABLED=0 go build -trimpath -ldflags '$(LDFLAGS)' -o $@ ./cmd/wsprobe

bin/ca-certificates.crt:
	@mkdir -p bin
	@for bundle in "$$SSL_CERT_FILE" $(CA_BUNDLES); do \
		if [ -s "$$bundle" ]; then cp "$$bundle" $@; exit 0; fi; \
	done; echo "no bundle of certificate authorities found (Debian: apt-get install ca-certificates)"; exit 1

collector: ## the Collector of deploy/collector, static, and the folder that its image mounts a volume over
	@mkdir -p bin/collector-data
	cd deploy/collector && CGO_ENABLED=0 go build -trimpath -ldflags '-s -w' -o ../../bin/collector .

clean:
	rm -rf bin
