package reasons

import "time"

// Clues are what a run saw beyond its reason and error type, as far as a hint depends on it. They are small, because
// an agent keeps those of every probe. The zero value says nothing.
type Clues struct {
	// Stage is what the run was doing when it ended.
	Stage Stage

	// What the probe was like: wss://, behind a proxy, with a client certificate to show.
	Secure, Proxied, ClientCertificate bool
	// What its request had: an Origin, subprotocols, credentials (Authorization or Cookie), permessage-deflate.
	Origin, Subprotocols, Credentials, Compression bool
	// Steps says that the probe has an exchange, whose fields have names of their own.
	Steps bool
	// Binary says that its messages are binary, and Own that one of them is what was at fault.
	Binary, Own bool
	// Last is what the probe sent last on the open socket, and SinceLast the time from there to the end of the run; of
	// a run that sent nothing the time since the socket opened, or since the request if it did not open.
	Last      Sent
	SinceLast time.Duration

	// First is what the first bytes of the response looked like.
	First First
	// Alert is the number of the TLS alert that ended the run, if AlertBy says that there was one.
	Alert   uint8
	AlertBy By
	// Certificate is what was wrong with the endpoint's certificate.
	Certificate Certificate
	// Status is that of the response that refused the upgrade or the tunnel, or 0. Says is what its text tells, and
	// ExpectStatus says that the probe expects a refusal, which this is not.
	Status       int
	Says         Says
	ExpectStatus bool
	// Close is the close code of the result, or 0.
	Close int
	// Switch is what was expected of the upgrade and did not come, if the server answered 101.
	Switch Switch

	// Expected is what the run waited for, and Near how near what came was to it.
	Expected Expected
	Near     Near
}

// Sent is what a probe can have sent on the open socket.
type Sent uint8

// The things that a probe sends.
const (
	SentNothing Sent = iota
	SentMessage
	SentPing
	SentBoth // a message and a Ping right behind it
)

// By says who sent something.
type By uint8

// The two sides.
const (
	ByNobody By = iota
	ByServer
	ByProbe
)

// Certificate is what can be wrong with a certificate, as far as the cure differs.
type Certificate uint8

// The faults of certificates.
const (
	CertificateFine       Certificate = iota
	CertificateFuture                 // not valid yet
	CertificateExpired                // no longer valid
	CertificateUnknown                // no path to a trusted authority
	CertificateSelfSigned             // the same, and it is its own authority
	CertificateUsage                  // not meant for servers
	CertificateNoRoots                // this machine has no authorities
	CertificateOther                  // refused for something else
	CertificateNoName                 // names no host in the way that counts
	CertificateNoAddress              // names no address, and the url has one
	certificateKinds      = iota
)

// First is what the first bytes of a response were.
type First uint8

// The beginnings that can be told apart.
const (
	FirstNothing First = iota
	FirstHTTP          // HTTP/1
	FirstTLS           // a TLS record
	FirstHTTP2         // a frame of HTTP/2
	FirstSSH
	FirstMail // the greeting of SMTP or FTP
	FirstPOP3
	FirstIMAP
	FirstRedis
	FirstVNC
	FirstMySQL
	FirstAMQP
	FirstNATS
	FirstFrame // a WebSocket frame without a response in front
	FirstText
	FirstBinary
	firsts = iota
)

// Says is what the text of a refusal tells beyond its status.
type Says uint8

// The things that refusals say.
const (
	SaysNothing     Says = iota
	SaysTLS              // the port wants TLS
	SaysToTLS            // redirects to the same thing by TLS
	SaysElsewhere        // redirects
	SaysCertificate      // a client certificate is missing or bad
	SaysLongHead         // the request has too much in its head
	SaysOrigin           // names the Origin
	SaysSubprotocol      // names the subprotocol
	SaysHost             // names the Host
	SaysNoUpgrade        // misses the Upgrade that the probe sent
	SaysEngineIO         // misses the query of Engine.IO
	SaysOtherScheme      // wants credentials that are neither Basic nor Bearer
	saysKinds       = iota
)

// Expected is what kind of message a run waited for.
type Expected uint8

// The kinds of expectations.
const (
	ExpectedNothing Expected = iota
	ExpectedAny
	ExpectedText
	ExpectedPattern
	ExpectedJSON
	expectedKinds = iota
)

// Near is how near the last message was to what was expected.
type Near uint8

// The ways to miss.
const (
	NearNot    Near = iota
	NearBreak       // it matches without the line break at the end of the expectation
	NearCase        // it matches if upper and lower case do not count
	NearBlanks      // it matches without blanks
	NearNoJSON      // it is no JSON document
	NearNoPath      // it has nothing at the path
	NearType        // another type of value stands there
	NearValue       // another value stands there
	NearTaken       // an earlier step took a message that matches
	NearEarly       // it matches, but was there before the message was sent
	nearKinds  = iota
)

// Switch is what can be wrong with the subprotocol or the extension of a 101, as far as the cure differs.
type Switch uint8

// The faults of a 101.
const (
	SwitchFine       Switch = iota
	SwitchUnasked           // it has what nobody offered
	SwitchOther             // it has another one than was offered
	SwitchUnpicked          // it lacks the one that was expected
	SwitchParameters        // the extension was offered, its parameters are not allowed
	SwitchTwice             // it has more than one
	switchKinds      = iota
)

// Failure is what a hint follows from.
type Failure struct {
	Code  Code
	Type  ErrorType
	Clues Clues
}

// Words are the names by which a person knows the fields of a probe, by the names that they have in a file: the flags of
// a command line. A nil Words has the names in a file.
type Words map[string]string
