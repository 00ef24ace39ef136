package main

import (
	"crypto/tls"
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/wsprobe/wsprobe/config"
)

// tlsFlag names the flag for each field of TLS that has one.
var tlsFlag = map[string]string{
	"ca_file": "ca-file", "cert_file": "cert-file", "key_file": "key-file", "insecure_skip_verify": "insecure",
}

func tlsFlags() []string { return slices.Sorted(maps.Values(tlsFlag)) }

func registerTLS(cmd *cobra.Command, t *config.TLS) {
	flags := cmd.Flags()
	flags.StringVar(&t.CAFile, tlsFlag["ca_file"], "", "PEM or DER `file` of the authorities to trust instead of the system's")
	flags.StringVar(&t.CertFile, tlsFlag["cert_file"], "", "PEM `file` of the client certificate, or a PKCS#12 bundle without a password")
	flags.StringVar(&t.KeyFile, tlsFlag["key_file"], "", "PEM `file` of the private key of --cert-file")
	flags.BoolVarP(&t.InsecureSkipVerify, tlsFlag["insecure_skip_verify"], "k", false, "accept any certificate")
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
