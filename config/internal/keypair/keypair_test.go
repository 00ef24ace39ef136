package keypair_test

import (
	"os"
	"strings"
	"testing"

	"github.com/wsprobe/wsprobe/config/internal/keypair"
)

const dir = "../../testdata/tls/"

// TestLoad: whatever form a certificate and its key have, they are read, or the source that is wrong is named.
func TestLoad(t *testing.T) {
	inline, err := os.ReadFile(dir + "both.pem")
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		identity     keypair.Identity
		source, want string // of the only problem
	}{
		"PEM in two files":  {identity: keypair.Identity{Cert: dir + "cert.pem", Key: dir + "key.pem"}},
		"PEM in one file":   {identity: keypair.Identity{Cert: dir + "both.pem"}},
		"PEM as text":       {identity: keypair.Identity{Cert: string(inline)}},
		"an encrypted key":  {identity: keypair.Identity{Cert: dir + "cert.pem", Key: dir + "key-encrypted.pem", Password: "swordfish"}},
		"PKCS#12":           {identity: keypair.Identity{Cert: dir + "bundle.p12", Password: "swordfish"}},
		"PKCS#12, open":     {identity: keypair.Identity{Cert: dir + "bundle-open.p12"}},
		"a key alone":       {keypair.Identity{Key: dir + "key.pem"}, keypair.KeyFile, "needs cert_file, too"},
		"a password alone":  {keypair.Identity{Password: "x"}, keypair.KeyPassword, "needs cert_file, too"},
		"no key":            {keypair.Identity{Cert: dir + "cert.pem"}, keypair.CertFile, "needs key_file, too"},
		"no password":       {keypair.Identity{Cert: dir + "cert.pem", Key: dir + "key-encrypted.pem"}, keypair.KeyFile, "is encrypted: needs key_password, too"},
		"a wrong password":  {keypair.Identity{Cert: dir + "bundle.p12", Password: "x"}, keypair.KeyPassword, "is not the password of cert_file"},
		"a needless one":    {keypair.Identity{Cert: dir + "cert.pem", Key: dir + "key.pem", Password: "x"}, keypair.KeyPassword, "has no effect: the key is not encrypted"},
		"another's key":     {keypair.Identity{Cert: dir + "cert.pem", Key: dir + "other-key.pem"}, keypair.CertFile, "cannot be used with its key"},
		"a key and PKCS#12": {keypair.Identity{Cert: dir + "bundle.p12", Key: dir + "key.pem"}, keypair.CertFile, "has no certificate in PEM in it"},
		"damaged":           {keypair.Identity{Cert: dir + "damaged.p12", Password: "swordfish"}, keypair.CertFile, "is "},
		"no file":           {keypair.Identity{Cert: dir + "nothing", Key: dir + "key.pem"}, keypair.CertFile, "cannot read "},
	} {
		t.Run(name, func(t *testing.T) {
			pair, problems := test.identity.Load()
			if test.want == "" {
				if problems != nil || len(pair.Certificate) == 0 || pair.PrivateKey == nil {
					t.Errorf("%d certificates, %v", len(pair.Certificate), problems)
				}
				return
			}
			if len(problems) != 1 || problems[0].Source != test.source || !strings.HasPrefix(problems[0].Text, test.want) {
				t.Errorf("%+v, want %s: %s", problems, test.source, test.want)
			}
			if missing := strings.Contains(test.want, "needs "); len(problems) == 1 && problems[0].Missing != missing {
				t.Errorf("another source would solve it: %v, want %v", problems[0].Missing, missing)
			}
		})
	}
}

// TestAuthorities: a pool has all certificates of a source, or none.
func TestAuthorities(t *testing.T) {
	for source, want := range map[string]string{
		dir + "cert.pem":       "",
		dir + "cert.der":       "",
		dir + "bundle-cut.pem": "has 2 certificates in it, of which only 1 can be used: ",
		dir + "empty.pem":      "has no certificate in it that can be used: ",
		dir + "nothing":        "cannot read ",
	} {
		pool, problems := keypair.Authorities(source)
		switch {
		case want == "" && (problems != nil || pool == nil):
			t.Errorf("%s: %v", source, problems)
		case want != "" && (len(problems) != 1 || problems[0].Source != keypair.CAFile || !strings.HasPrefix(problems[0].Text, want)):
			t.Errorf("%s: %+v, want %s", source, problems, want)
		}
	}
}
