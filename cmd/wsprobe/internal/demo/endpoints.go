package demo

import (
	"errors"
	"fmt"
	"net"
	"slices"
	"time"

	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/probe/session"
	"github.com/wsprobe/wsprobe/probe/wstest"
	"github.com/wsprobe/wsprobe/reasons"
)

// Endpoint is an example to probe: its name, its behaviour, and a probe for it.
type Endpoint struct {
	Name string // unique
	// About says in a few words what the endpoint does.
	About string
	// Outcomes are what a right probe says of it, run after run, from the beginning again after the last.
	Outcomes []Outcome

	Interval time.Duration
	Labels   map[string]string // extra attributes of its metrics
	Spec     probe.Spec        // valid; of an endpoint that is held open, that of a run which opens it
	Session  *session.Spec     // how it is held open; nil for an endpoint that is probed by runs
}

// Outcome is how a run ends.
type Outcome struct {
	Reason    reasons.Code
	ErrorType reasons.ErrorType // empty if the reason is OK
}

// Faulty reports whether the endpoint fails, at least now and then, on purpose.
func (e Endpoint) Faulty() bool {
	return slices.ContainsFunc(e.Outcomes, func(o Outcome) bool { return o.Reason != reasons.OK })
}

// Endpoints are the examples, being served.
type Endpoints struct {
	// All are the endpoints, the good ones first.
	All []Endpoint

	servers []*wstest.Server
	closed  *closedPort
}

// Start serves the examples on the loopback interface until Close.
func Start() (*Endpoints, error) {
	e := new(Endpoints)
	for _, x := range examples() {
		if err := e.add(x); err != nil {
			e.Close()
			return nil, fmt.Errorf("serving the example %s: %w", x.Name, err)
		}
	}
	return e, nil
}

// add serves one example and completes its description with the address.
func (e *Endpoints) add(x example) error {
	if x.script == nil {
		p, err := closePort()
		if err != nil {
			return err
		}
		e.closed = p
		x.Spec.URL = "ws://" + p.addr() + "/" + x.Name
	} else {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		s := wstest.Serve(l, x.tls, x.script)
		e.servers = append(e.servers, s)
		x.Spec.URL = s.URL + x.Name + x.query
		if x.tls != nil {
			x.Spec.TLS = s.ClientTLS()
		}
	}
	if x.Session != nil {
		*x.Session = x.Session.WithDefaults()
		x.Session.Opening = x.Spec.Opening
		x.Spec = x.Session.Run()
	}
	e.All = append(e.All, x.Endpoint)
	return nil
}

// Close ends every connection and returns when nothing of the endpoints is left.
func (e *Endpoints) Close() {
	for _, s := range e.servers {
		s.Close()
	}
	if e.closed != nil {
		e.closed.release()
	}
}

// closedPort is a port on which nothing listens, and on which nothing can begin to listen: a connection
// to somewhere else has it. A port that is merely free could be anybody's a moment later.
type closedPort struct{ near, far net.Conn }

func closePort() (*closedPort, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	near, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		return nil, errors.Join(err, l.Close())
	}
	far, err := l.Accept()
	if err := errors.Join(err, l.Close()); err != nil {
		return nil, errors.Join(err, near.Close())
	}
	return &closedPort{near, far}, nil
}

func (p *closedPort) addr() string { return p.near.LocalAddr().String() }

func (p *closedPort) release() {
	// Nothing was ever written: there is nothing to lose and nobody to tell.
	_ = p.near.Close()
	_ = p.far.Close()
}
