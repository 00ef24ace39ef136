package status

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/wsprobe/wsprobe/probe/visible"
)

const (
	// reloadTimeout is how long the answer to a reload may take. The agent gives up earlier.
	reloadTimeout = 5 * time.Minute
	// maxFaults is how many faults of a configuration the page shows.
	maxFaults = 20
	// maxFiles is how many files of a configuration the page names.
	maxFiles = 3
)

// Config is how the configuration in force stands to the one on disk, as the API shows it.
type Config struct {
	LoadedAt   time.Time  `json:"loaded_at" doc:"when the configuration in force was loaded"`
	Stale      bool       `json:"stale" doc:"the files have another configuration than the one in force"`
	Since      *time.Time `json:"since" doc:"since when; null if it is false"`
	Files      []string   `json:"files" doc:"files and directories that it was read from"`
	Faults     []Fault    `json:"faults" doc:"why the files could not be loaded: file, line, column, path and message of each fault"`
	Restart    []string   `json:"restart" doc:"fields whose new values hold from the next start of the agent on"`
	Probes     int        `json:"probes" doc:"probes of the files that this agent runs"`
	Disabled   int        `json:"disabled" doc:"probes of the files with enabled: false"`
	Discovered int        `json:"discovered" doc:"probes of targets that were discovered"`
}

// Fault is one thing that is wrong with a configuration, and its place.
type Fault struct {
	File    string `json:"file"`
	Line    int    `json:"line"` // 0 if there is no place
	Column  int    `json:"column"`
	Path    string `json:"path"`
	Message string `json:"message"`
	Text    string `json:"-"` // all of it, as `wsprobe check` prints it
}

// config answers programs.
func (s *Server) config(w http.ResponseWriter, _ *http.Request) {
	c := s.Config()
	c.LoadedAt = c.LoadedAt.UTC()
	inUTC(&c.Since)
	for _, list := range []*[]string{&c.Files, &c.Restart} {
		shown := make([]string, len(*list)) // not null in JSON
		for i, text := range *list {
			shown[i] = visible.Text(text)
		}
		*list = shown
	}
	faults := make([]Fault, len(c.Faults))
	for i, f := range c.Faults {
		faults[i] = Fault{File: visible.Text(f.File), Line: f.Line, Column: f.Column, Path: visible.Text(f.Path), Message: visible.Text(f.Message)}
	}
	c.Faults = faults
	writeJSON(w, c)
}

// reload has the agent load its configuration again, and answers with the outcome. Only programs on the machine of the
// agent may ask: no page of a browser, and nobody behind a proxy, whose requests look as if they came from here.
func (s *Server) reload(w http.ResponseWriter, r *http.Request) {
	if !fromHere(r) || !has(s.hosts(), r.Host) {
		writeText(w, http.StatusForbidden, "a reload must be asked for on the machine of the agent, by its loopback address: or send SIGHUP\n")
		return
	}
	connection := http.NewResponseController(w)
	_ = connection.SetReadDeadline(time.Time{}) // a connection without deadlines is one of a test
	_ = connection.SetWriteDeadline(time.Now().Add(reloadTimeout))
	code, text := s.Reload(r.Context())
	writeText(w, code, text)
}

// fromHere reports whether a request comes from a program on this machine that speaks for itself.
func fromHere(r *http.Request) bool {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return false
	}
	peer, err := netip.ParseAddr(host)
	if err != nil || !peer.Unmap().IsLoopback() {
		return false
	}
	for _, field := range []string{"Origin", "Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-Ip", "Via"} {
		if r.Header.Get(field) != "" {
			return false
		}
	}
	site := r.Header.Get("Sec-Fetch-Site")
	return site == "" || site == "none"
}

// configView is the configuration as lines of the page.
type configView struct {
	Since   string // for how long it has been stale, empty if it is not
	At      string // since when
	Faults  []string
	More    int // faults that are not shown
	Restart string
	Loaded  string // how long ago the one in force was loaded
	Files   string
}

// showConfig fills in how the configuration is.
func (o *overview) showConfig(c Config, now time.Time) {
	v := &configView{Loaded: ago(now.Sub(c.LoadedAt)), Files: visible.Text(fileNames(c.Files)), Restart: visible.Text(strings.Join(c.Restart, ", "))}
	if c.Since != nil {
		v.Since, v.At = span(now.Sub(*c.Since)), c.Since.UTC().Format(time.RFC3339)
	}
	for i, f := range c.Faults {
		if i == maxFaults {
			v.More = len(c.Faults) - i
			break
		}
		v.Faults = append(v.Faults, visible.Text(f.Text))
	}
	o.Config = v
}

// fileNames names the first files, and how many more there are.
func fileNames(files []string) string {
	if len(files) <= maxFiles {
		return strings.Join(files, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(files[:maxFiles], ", "), len(files)-maxFiles)
}
