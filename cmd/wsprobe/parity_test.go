package main

import (
	"cmp"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/convert"
	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/telemetry"
	"github.com/wsprobe/wsprobe/config"
)

// streamFields are the fields of a stream by their names below it.
func streamFields() map[string]config.Field {
	fields := make(map[string]config.Field)
	for _, f := range config.Fields() {
		if name, found := strings.CutPrefix(f.Path, "streams[]."); found {
			fields[name] = f
		}
	}
	return fields
}

// perBuffer are the defaults that depend on the type of the buffer.
var perBuffer = map[string]string{
	"buffer.max_events": "`10000` in memory", "buffer.max_size": "`16MiB` in memory, `256MiB` on disk",
}

// parityTable has the options of another program beside the fields of a stream.
func parityTable(program string, options []convert.Option) string {
	fields := streamFields()
	var rows [][]string
	for _, o := range options {
		ours, otherwise := "—", ""
		if o.Ours != "" {
			ours = code(o.Ours)
			otherwise = cmp.Or(shownDefault(fields[o.Ours].Default), perBuffer[o.Ours])
		}
		rows = append(rows, []string{code(o.Name), shownDefault(o.Default), ours, otherwise, o.Meaning})
	}
	return markdown([]string{program, "default", "wsprobe", "default", "what becomes of it, or why there is none"}, rows)
}

// shownDefault is a default as a table shows it: a word of prose as it is, a value as code.
func shownDefault(text string) string {
	if text == "" || text == "none" || strings.HasPrefix(text, "required") {
		return text
	}
	return code(text)
}

// TestParityNamesMetrics proves that each metric of the parity page is one of wsprobe.
func TestParityNamesMetrics(t *testing.T) {
	known := map[string]bool{}
	for _, m := range slices.Concat(telemetry.Metrics(), telemetry.SelfMetrics()) {
		known[m.Name] = true
	}
	found := regexp.MustCompile("`(wsprobe\\.[a-z._]+)`").FindAllStringSubmatch(page(t, "deploy/streams.md"), -1)
	if len(found) < 10 {
		t.Errorf("%d metrics, which cannot be all", len(found))
	}
	for _, match := range found {
		if !known[match[1]] {
			t.Errorf("there is no metric %s", match[1])
		}
	}
}

// TestParityNamesFields proves that each field of the parity page is one of a stream.
func TestParityNamesFields(t *testing.T) {
	fields := streamFields()
	for _, o := range slices.Concat(convert.VectorOptions(), convert.FluentBitOptions(), convert.TelegrafOptions()) {
		if _, found := fields[o.Ours]; o.Ours != "" && !found {
			t.Errorf("%s: a stream has no field %s", o.Name, o.Ours)
		}
	}
}
