package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/convert"
	"github.com/wsprobe/wsprobe/config"
)

// TestConvertedStreamsAreValid proves that a configuration takes whatever convert makes, without a warning. The
// archives of the converter have every option of the other programs.
func TestConvertedStreamsAreValid(t *testing.T) {
	const probes = "probes:\n  - name: x\n    url: wss://x.example.com/\n"
	archives, err := filepath.Glob("internal/convert/testdata/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	var streams int
	for _, name := range archives {
		archive, err := txtar.ParseFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range archive.Files {
			if f.Name != "want.yaml" {
				continue
			}
			file := filepath.Join(t.TempDir(), strings.TrimSuffix(filepath.Base(name), ".txtar")+".yaml")
			if err := os.WriteFile(file, append(f.Data, probes...), 0o600); err != nil {
				t.Fatal(err)
			}
			cfg, err := config.CheckWithoutSecrets(file)
			if err != nil {
				t.Errorf("%v in\n%s", err, f.Data)
				continue
			}
			streams += len(cfg.Streams)
			for _, warning := range cfg.Warnings {
				t.Errorf("%v in\n%s", warning, f.Data)
			}
		}
	}
	if streams < 20 {
		t.Errorf("%d streams, which cannot be all", streams)
	}
}

// TestConvertedValuesAreValid proves the same of each option with values that fit it badly, unless it is a text that
// goes into a field as it is.
func TestConvertedValuesAreValid(t *testing.T) {
	file := filepath.Join(t.TempDir(), "wsprobe.yaml")
	asItIs := []string{"url", "headers", "proxy_url", "name", "tls.server_name"}
	values := []string{"", "0", "1", "-5", "300", "90000", "99999999999", "0.001", "1.5h", "true", "off", "x", "é", "json", "csv", "${X}", "1G", "a:b"}
	for program, options := range map[string][]convert.Option{
		"vector": convert.VectorOptions(), "fluent-bit": convert.FluentBitOptions(), "telegraf": convert.TelegrafOptions(),
	} {
		for _, o := range options {
			if slices.Contains(asItIs, o.Ours) || o.Name == "type" || o.Name == "name" {
				continue
			}
			for _, value := range values {
				checkConverted(t, file, program, strings.TrimSuffix(o.Name, ".*"), value, "wss")
				if strings.HasPrefix(o.Ours, "tls") {
					checkConverted(t, file, program, o.Name, value, "ws")
				}
			}
		}
	}
}

// checkConverted converts an output with one option, and checks what comes out.
func checkConverted(t *testing.T, file, program, option, value, scheme string) {
	t.Helper()
	var result convert.Result
	var err error
	source := convert.Source{Name: "f", Format: "toml"}
	switch program {
	case "vector":
		source.Data = fmt.Appendf(nil, "[sinks.x]\ntype = \"websocket\"\nuri = \"%s://h/\"\n%s = %q\n", scheme, option, value)
		result, err = convert.Vector([]convert.Source{source})
	case "telegraf":
		if _, global := strings.CutPrefix(option, "agent."); global {
			return // as without agent
		}
		source.Data = fmt.Appendf(nil, "[[outputs.websocket]]\nurl = \"%s://h/\"\n%s = %q\n", scheme, option, value)
		result, err = convert.Telegraf([]convert.Source{source})
	default:
		source.Format = "yaml"
		service, output := "", fmt.Sprintf("      %s: %q\n", option, value)
		if setting, global := strings.CutPrefix(option, "service."); global {
			service, output = fmt.Sprintf("service:\n  %s: %q\n", setting, value), ""
		}
		if option != "tls" {
			output += fmt.Sprintf("      tls: %v\n", scheme == "wss")
		}
		source.Data = []byte(service + "pipeline:\n  outputs:\n    - name: websocket\n" + output)
		result, err = convert.FluentBit([]convert.Source{source}, nil)
	}
	if err != nil {
		t.Errorf("%s: %v in\n%s", program, err, source.Data)
		return
	}
	if err := os.WriteFile(file, append(result.YAML, "probes:\n  - name: x\n    url: wss://x.example.com/\n"...), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := config.CheckWithoutSecrets(file); err != nil {
		t.Errorf("%s: %v of\n%s\nin\n%s", program, err, source.Data, result.YAML)
	}
}
