package probe

// DefaultUserAgent is the User-Agent of a Spec that names none.
const DefaultUserAgent = "wsprobe"

// WithDefaults returns the Spec with its defaults filled in, as [New] and [Spec.Validate] see it.
// Proxy, TLS, Resolve and Dial stay as they are: nil has a meaning there. Headers and Protocols are
// shared with s.
func (s Spec) WithDefaults() Spec {
	s.Opening = s.Opening.withDefaults()
	if s.Interpretation == "" {
		s.Interpretation = HandshakeLatency
	}
	if s.Timeout == 0 {
		s.Timeout = DefaultTimeout
	}
	if s.PingMode == "" {
		s.PingMode = PingNone
		if s.Interpretation == RoundTripLatency {
			s.PingMode = PingMessage
		}
	}
	if s.MessageFormat == "" {
		s.MessageFormat = FormatText
	}
	if s.MaxReply == 0 {
		s.MaxReply = DefaultMaxReply
	}
	return s
}
