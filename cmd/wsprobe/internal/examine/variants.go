package examine

import (
	"context"
	"maps"
	"net/url"
	"strings"

	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/probe/session"
	"github.com/wsprobe/wsprobe/reasons"
)

// The names of the variants.
const (
	noProtocol      = "no subprotocol"
	unknownProtocol = "an unknown subprotocol"
	noOrigin        = "no Origin"
	foreignOrigin   = "a foreign Origin"
	wrongPath       = "another path"
	compression     = "compression"
	noCompression   = "no compression"
)

// Values that no endpoint can mean (RFC 6761 6.4).
const (
	strangeProtocol = "unknown.wsprobe.invalid"
	strangeOrigin   = "https://wsprobe.invalid"
	strangePath     = "/wsprobe.invalid"
)

// change is how an open differs from the first.
type change struct {
	name   string
	change func(*probe.Opening)
}

// changes are the variants of an opening.
func changes(o probe.Opening) []change {
	var all []change
	add := func(name string, f func(*probe.Opening)) { all = append(all, change{name, f}) }
	if len(o.Protocols) > 0 {
		add(noProtocol, func(o *probe.Opening) { o.Protocols, o.ExpectProtocol = nil, "" })
	}
	add(unknownProtocol, func(o *probe.Opening) { o.Protocols, o.ExpectProtocol = []string{strangeProtocol}, "" })
	if hasOrigin(o.Headers) {
		add(noOrigin, func(o *probe.Opening) { o.Headers = withOrigin(o.Headers, "") })
	}
	add(foreignOrigin, func(o *probe.Opening) { o.Headers = withOrigin(o.Headers, strangeOrigin) })
	if u, err := url.Parse(o.URL); err == nil {
		u.Path, u.RawPath = strangePath, ""
		add(wrongPath, func(o *probe.Opening) { o.URL = u.String() })
	}
	if o.Compression == probe.CompressionOn {
		add(noCompression, func(o *probe.Opening) { o.Compression = probe.CompressionOff })
	} else {
		add(compression, func(o *probe.Opening) { o.Compression = probe.CompressionOn })
	}
	return all
}

func hasOrigin(headers map[string]string) bool {
	for name := range headers {
		if strings.EqualFold(name, "Origin") {
			return true
		}
	}
	return false
}

// withOrigin returns the headers with another Origin, or without one.
func withOrigin(headers map[string]string, origin string) map[string]string {
	changed := maps.Clone(headers)
	if changed == nil {
		changed = make(map[string]string)
	}
	maps.DeleteFunc(changed, func(name, _ string) bool { return strings.EqualFold(name, "Origin") })
	if origin != "" {
		changed["Origin"] = origin
	}
	return changed
}

// variants opens the endpoint in several ways, one after the other. It says nothing but the exchange, unless messages are
// what may differ.
func (x *examination) variants(ctx context.Context) error {
	usual, err := x.glimpse(ctx, "", x.Spec.Opening)
	if err != nil || ctx.Err() != nil {
		return err
	}
	for _, c := range changes(x.Spec.Opening) {
		if !pause(ctx, courtesy) {
			return nil
		}
		o := x.Spec.Opening
		c.change(&o)
		v, err := x.glimpse(ctx, c.name, o)
		if err != nil || ctx.Err() != nil {
			return err
		}
		v.Same = v.Answered == nil || *v.Answered
		v.Same = v.Same && v.Opened == usual.Opened && v.CloseCode == usual.CloseCode && v.Status == usual.Status
		x.note(func(r *Report) { r.Variants = append(r.Variants, v) })
		x.progress("%s: %s", c.name, v.outcome())
	}
	return nil
}

// glimpse opens the endpoint and stays for a moment.
func (x *examination) glimpse(ctx context.Context, name string, o probe.Opening) (Variant, error) {
	s, asks := x.Spec.Run(), x.report.Answers && (name == compression || name == noCompression)
	if asks {
		s = x.asking()
	}
	s.Opening, s.Timeout = o, min(hurry, s.Timeout)
	s.StayOpen = min(glance, s.Timeout/2)
	p, err := probe.New(s)
	if err != nil {
		return Variant{}, err
	}
	x.opened()
	res, err := p.RunWith(ctx, probe.RunOptions{})
	if err != nil {
		return Variant{}, err
	}
	v := Variant{Name: name, Opened: res.Opened, Status: res.HTTPStatus, ErrorType: failed(res), Subprotocol: res.Subprotocol,
		Extensions: res.Extensions, CloseCode: res.CloseCode, CloseReason: res.CloseReason}
	if asks && v.Opened {
		v.Answered = new(res.Steps[len(res.Steps)-1].State == probe.SpanEnded)
	}
	return v, nil
}

// outcome is what became of the open, in words.
func (v Variant) outcome() string {
	switch {
	case !v.Opened && v.Status >= 300:
		return "refused with " + httpStatus(v.Status)
	case !v.Opened && v.ErrorType == string(reasons.UpgradeTimeout):
		return "never answered"
	case !v.Opened:
		return "refused: " + v.ErrorType
	case v.CloseCode == 1006:
		return "opens, and the connection then ends without a close frame"
	case v.CloseCode == 0 && v.Answered != nil && !*v.Answered:
		return "opens" + v.agreed() + ", but the message is not answered: " + v.ErrorType
	case v.CloseCode != 0:
		return "opens, and is then closed: " + Ending{session.ByClose, v.CloseCode, v.CloseReason}.String()
	default:
		return "opens" + v.agreed()
	}
}

// agreed is what was agreed upon, in words.
func (v Variant) agreed() string {
	switch {
	case v.Name == unknownProtocol && v.Subprotocol != "":
		return ", and the server picks it"
	case v.Name == unknownProtocol:
		return ", and none is agreed upon"
	case v.Name == compression && v.Extensions == "":
		return ", but it is declined"
	case v.Name == compression && v.Answered != nil && *v.Answered:
		return ", is agreed upon (" + v.Extensions + "), and the message is answered"
	case v.Name == compression:
		return ", and is agreed upon: " + v.Extensions
	default:
		return ""
	}
}
