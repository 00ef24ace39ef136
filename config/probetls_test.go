package config

import (
	"crypto/tls"
	"encoding/asn1"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestProbeTLS: what the mapping tls of a probe says, over that of the defaults block, is what the probe is given.
func TestProbeTLS(t *testing.T) {
	clearEnvironment(t)
	config, err := Load("testdata/good/tls.yaml")
	if err != nil {
		t.Fatal(err)
	}
	type facts struct {
		authorities, certificate, skip, anyName bool
		version                                 uint16
		alpn                                    string
		name                                    string
	}
	inherited := facts{authorities: true, certificate: true, version: tls.VersionTLS12, alpn: "default"}
	with := func(change func(*facts)) facts {
		f := inherited
		change(&f)
		return f
	}
	want := map[string]facts{
		"inherits":                     inherited,
		"as well":                      inherited,
		"adds":                         with(func(f *facts) { f.name, f.version = "other.example.com", tls.VersionTLS13 }),
		"another key and its password": inherited,
		"a bundle":                     inherited,
		"an open bundle":               inherited,
		"both in one":                  inherited,
		"nobody":                       with(func(f *facts) { f.certificate = false }),
		"anything goes":                with(func(f *facts) { f.skip, f.authorities = true, false }),
		"any name":                     with(func(f *facts) { f.anyName = true }),
		"the system's":                 with(func(f *facts) { f.authorities = false }),
		"old and without ALPN":         with(func(f *facts) { f.version, f.alpn, f.name = tls.VersionTLS10, "[]", "2001:db8::1" }),
		"says the default":             with(func(f *facts) { f.alpn = "[http/1.1]" }),
		"inline":                       inherited,
	}
	for _, p := range config.Probes {
		c := p.Spec.TLS
		if c == nil {
			if p.Name != "plain inherits nothing" {
				t.Errorf("%s: no TLS", p.Name)
			}
			continue
		}
		got := facts{c.RootCAs != nil, len(c.Certificates) == 1, c.InsecureSkipVerify, p.Spec.AnyServerName, c.MinVersion, "default", c.ServerName}
		if c.NextProtos != nil {
			got.alpn = fmt.Sprint(c.NextProtos)
		}
		if got != want[p.Name] {
			t.Errorf("%s: got %+v, want %+v", p.Name, got, want[p.Name])
		}
	}
}

// TestProbeTLSIsShared: however many probes name a file, it is read once, and what is in it is kept once.
func TestProbeTLSIsShared(t *testing.T) {
	clearEnvironment(t)
	config, err := Load("testdata/good/tls.yaml")
	if err != nil {
		t.Fatal(err)
	}
	one, two, own := config.Probes[1].Spec.TLS, config.Probes[2].Spec.TLS, config.Probes[3].Spec.TLS
	if one != two {
		t.Error("two probes that inherit everything have a configuration each")
	}
	if one.RootCAs != own.RootCAs || one.Certificates[0].Leaf != own.Certificates[0].Leaf {
		t.Error("a probe that adds a field has authorities and a certificate of its own")
	}
}

// TestDamagedKey: a cipher that panics over what it gets is a fault like any other.
func TestDamagedKey(t *testing.T) {
	clearEnvironment(t)
	text, err := os.ReadFile("testdata/tls/key-encrypted.pem")
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(text)
	var key struct {
		Algorithm asn1.RawValue
		Data      []byte
	}
	if _, err := asn1.Unmarshal(block.Bytes, &key); err != nil {
		t.Fatal(err)
	}
	key.Data = key.Data[:len(key.Data)-1]
	if block.Bytes, err = asn1.Marshal(key); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "key.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = loadText([]byte(`probes: [{name: a, url: "wss://example.com/",
  tls: {cert_file: testdata/tls/cert.pem, key_password: swordfish, key_file: "` + file + `"}}]`))
	if err == nil || !strings.Contains(err.Error(), "tls.key_file: is damaged") || strings.Contains(err.Error(), "swordfish") {
		t.Errorf("got %v", err)
	}
}
