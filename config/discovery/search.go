package discovery

import (
	"net/netip"
	"os"
	"strconv"
	"strings"

	"github.com/wsprobe/wsprobe/config/internal/readfile"
)

// search is where a short name is looked for.
type search struct {
	domains []string // each ends in a dot
	dots    int      // a name with as many is tried as it is first
}

// readSearch reads the search domains of a system from its resolv.conf. A system without one has none.
func readSearch(file string) search {
	s := search{dots: 1}
	data, err := readfile.Regular(file, 1<<20)
	if err != nil {
		data = nil
	}
	for line := range strings.Lines(string(data)) {
		words := strings.Fields(line)
		if len(words) < 2 {
			continue
		}
		switch words[0] {
		case "domain":
			s.domains = domains(words[1:2])
		case "search":
			s.domains = domains(words[1:])
		case "options":
			for _, option := range words[1:] {
				if digits, found := strings.CutPrefix(option, "ndots:"); found {
					if n, err := strconv.Atoi(digits); err == nil {
						s.dots = min(max(n, 0), 15) // as in resolvers of C and Go
					}
				}
			}
		}
	}
	if len(s.domains) == 0 && len(data) > 0 {
		// Without a domain in the file, that of the own name counts.
		if host, err := os.Hostname(); err == nil {
			if _, domain, found := strings.Cut(host, "."); found {
				s.domains = domains([]string{domain})
			}
		}
	}
	return s
}

// domains returns domains with their final dot. The root is none.
func domains(words []string) (list []string) {
	for _, word := range words {
		if word = strings.TrimSuffix(word, "."); word != "" {
			list = append(list, word+".")
		}
	}
	return list
}

// names returns the full names to try for a name, in their order.
func (s search) names(name string) []string {
	if _, err := netip.ParseAddr(name); err == nil || strings.HasSuffix(name, ".") {
		return []string{name}
	}
	full := name + "."
	var names []string
	if strings.Count(name, ".") >= s.dots {
		names = append(names, full)
	}
	for _, domain := range s.domains {
		if len(full)+len(domain) <= maxName {
			names = append(names, full+domain)
		}
	}
	if strings.Count(name, ".") < s.dots {
		names = append(names, full)
	}
	return names
}

// maxName is the length of the longest name of the DNS, with its final dot.
const maxName = 254
