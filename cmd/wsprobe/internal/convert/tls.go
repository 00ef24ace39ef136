package convert

import "strings"

const (
	noTLS   = "has no effect without TLS"
	anybody = "has no effect, because any certificate is accepted"
)

// tlsText sets a field of tls that is a text.
func tlsText(ours string) func(*conversion, leaf) {
	return func(c *conversion, l leaf) {
		value, ok := c.text(l)
		switch {
		case !ok:
		case !c.secure:
			c.leave(l, noTLS)
		case ours != "tls.ca_file" && ours != "tls.server_name" && !c.has("tls.crt_file") && !c.has("tls_cert"):
			c.leave(l, "has no effect without a certificate")
		case ours == "tls.ca_file" && c.anybody:
			c.leave(l, anybody)
		case ours != "tls.ca_file" && strings.HasPrefix(value, "-----BEGIN"):
			c.leave(l, "must be the path of a file, not its content")
		case ours == "tls.key_password":
			c.secret(l, ours, value)
		default:
			c.stream.set(ours, value)
			if ours == "tls.ca_file" {
				c.remark(l, ours, "trusted in place of the system's authorities")
			}
		}
	}
}

// tlsVerify sets tls.insecure_skip_verify, which is the opposite.
func tlsVerify(c *conversion, l leaf) {
	switch is, ok := c.truth(l); {
	case !ok:
	case !c.secure:
		c.leave(l, noTLS)
	case !is:
		c.stream.set("tls.insecure_skip_verify", true)
	}
}

// tlsVerifyHostname sets tls.verify_hostname.
func tlsVerifyHostname(c *conversion, l leaf) {
	switch is, ok := c.truth(l); {
	case !ok:
	case !c.secure:
		c.leave(l, noTLS)
	case c.anybody:
		c.leave(l, anybody)
	case !is:
		c.stream.set("tls.verify_hostname", false)
	}
}
