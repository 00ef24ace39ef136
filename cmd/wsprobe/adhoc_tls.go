package main

import (
	"crypto/tls"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/wsprobe/wsprobe/config"
	"github.com/wsprobe/wsprobe/probe"
)

// tlsFlag names the flag for each field of TLS that has one.
var tlsFlag = map[string]string{
	"ca_file": "ca-file", "cert_file": "cert-file", "key_file": "key-file", "insecure_skip_verify": "insecure",
}

func tlsFlags() []string {
	return append(slices.Sorted(maps.Values(tlsFlag)), "server-name", "any-hostname", "tls-min")
}

func (f *openingFlags) registerTLS(flags *pflag.FlagSet) {
	t := &f.tls
	flags.StringVar(&t.CAFile, tlsFlag["ca_file"], "", "PEM or DER `file` of the authorities to trust instead of the system's")
	flags.StringVar(&t.CertFile, tlsFlag["cert_file"], "", "PEM `file` of the client certificate, or a PKCS#12 bundle without a password")
	flags.StringVar(&t.KeyFile, tlsFlag["key_file"], "", "PEM `file` of the private key of --cert-file")
	flags.BoolVarP(&t.InsecureSkipVerify, tlsFlag["insecure_skip_verify"], "k", false, "accept any certificate")
	flags.StringVar(&f.serverName, "server-name", "", "`name` to ask for (SNI) and to find in the certificate")
	flags.BoolVar(&f.anyHostname, "any-hostname", false, "accept a certificate of a trusted authority with any name")
	flags.StringVar(&f.minTLS, "tls-min", "", "oldest `version` of TLS that will do, 1.0 to 1.3 (default 1.2)")
}

// tlsVersions are the versions of TLS by their names.
var tlsVersions = map[string]uint16{
	"1.0": tls.VersionTLS10, "1.1": tls.VersionTLS11, "1.2": tls.VersionTLS12, "1.3": tls.VersionTLS13,
}

// fillTLS fills in whom the probe trusts and how it proves who it is.
func (f *openingFlags) fillTLS(cmd *cobra.Command, o *probe.Opening) (err error) {
	if o.TLS, err = loadTLS(f.tls); err != nil {
		return err
	}
	o.AnyServerName = f.anyHostname && !f.tls.InsecureSkipVerify
	name, version := cmd.Flags().Changed("server-name"), cmd.Flags().Changed("tls-min")
	if !name && !version {
		return nil
	}
	if o.TLS == nil {
		o.TLS = &tls.Config{}
	}
	o.TLS.ServerName, o.TLS.MinVersion = f.serverName, tls.VersionTLS12
	if version {
		known := false
		if o.TLS.MinVersion, known = tlsVersions[f.minTLS]; !known {
			return fmt.Errorf("--tls-min: must be 1.0, 1.1, 1.2 or 1.3, got %q", f.minTLS)
		}
	}
	return nil
}

// loadTLS reads the files that the flags name. What is wrong has a line for each flag.
func loadTLS(t config.TLS) (*tls.Config, error) {
	found, problems := t.Config()
	if len(problems) == 0 {
		return found, nil
	}
	var lines []string
	for _, key := range slices.Sorted(maps.Keys(problems)) {
		problem := strings.ReplaceAll(problems[key], "needs key_password, too", "only a configuration file can give its password")
		for field, flag := range tlsFlag {
			problem = strings.ReplaceAll(problem, field, "--"+flag)
		}
		lines = append(lines, "--"+tlsFlag[key]+": "+problem)
	}
	return nil, errors.New(strings.Join(lines, "\n"))
}
