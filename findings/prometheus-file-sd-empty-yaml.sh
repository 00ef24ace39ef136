#!/usr/bin/env bash
# Prometheus 3.16.0 (module v0.316.0), file_sd: a YAML file that is empty for a moment ends all targets of the file,
# while a JSON file that is empty keeps them. An empty text is valid YAML, of no groups, and no JSON. So a program that
# writes its list with ">" or in place, which cuts the file before it writes, must write JSON, or rename. The same holds
# for the first lines of a YAML list, which are a list, too.
#
# Input: a list of one group with one target, as targets.json and as targets.yaml; then both files are cut to no bytes.
#
# Seen:
#   targets.json: 1 target, cut: 1 target
#   targets.yaml: 1 target, cut: 0 targets
#
# Needs Go and a module proxy; the build takes minutes. Exits with 1 when the behaviour is another one.
set -euo pipefail

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"

cat >go.mod <<'EOF'
module finding

go 1.26.8

require (
	github.com/prometheus/client_golang v1.25.0
	github.com/prometheus/common v0.72.1
	github.com/prometheus/prometheus v0.316.0
)
EOF

cat >main.go <<'EOF'
package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/model"
	"github.com/prometheus/common/promslog"
	"github.com/prometheus/prometheus/discovery"
	"github.com/prometheus/prometheus/discovery/file"
	"github.com/prometheus/prometheus/discovery/targetgroup"
)

func must(err error) {
	if err != nil {
		panic(err)
	}
}

// targets returns the number of targets before and after a file is cut.
func targets(dir, name, list string) (before, after int) {
	path := filepath.Join(dir, name)
	must(os.WriteFile(path, []byte(list), 0o600))
	config := &file.SDConfig{Files: []string{path}, RefreshInterval: model.Duration(time.Second)}
	registry := prometheus.NewRegistry()
	metrics := config.NewDiscovererMetrics(registry, discovery.NewRefreshMetrics(registry))
	must(metrics.Register())
	finder, err := config.NewDiscoverer(discovery.DiscovererOptions{Logger: promslog.NewNopLogger(), Metrics: metrics})
	must(err)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	updates := make(chan []*targetgroup.Group)
	go finder.Run(ctx, updates)

	groups := map[string]int{}
	settle := func() (n int) {
		for quiet := time.After(4 * time.Second); ; {
			select {
			case update := <-updates:
				for _, group := range update {
					groups[group.Source] = len(group.Targets)
				}
			case <-quiet:
				for _, targets := range groups {
					n += targets
				}
				return n
			}
		}
	}
	before = settle()
	must(os.Truncate(path, 0))
	return before, settle()
}

func main() {
	dir, err := os.MkdirTemp("", "")
	must(err)
	defer os.RemoveAll(dir)
	list := `[{"targets": ["127.0.0.1:1"]}]` // JSON is YAML, too
	jsonBefore, jsonAfter := targets(dir, "targets.json", list)
	yamlBefore, yamlAfter := targets(dir, "targets.yaml", list)
	fmt.Printf("targets.json: %d target, cut: %d target\n", jsonBefore, jsonAfter)
	fmt.Printf("targets.yaml: %d target, cut: %d targets\n", yamlBefore, yamlAfter)
	if jsonBefore != 1 || jsonAfter != 1 || yamlBefore != 1 || yamlAfter != 0 {
		os.Exit(1)
	}
}
EOF

export GOFLAGS=-mod=mod GOWORK=off
go mod tidy >/dev/null 2>&1
go run .
