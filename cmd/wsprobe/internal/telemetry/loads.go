package telemetry

import (
	"runtime/debug"
	"time"

	"github.com/wsprobe/wsprobe/probe/metrics"
)

// ConfigLoad is one attempt to load a configuration.
type ConfigLoad struct {
	At   time.Time // when it began
	Took time.Duration
	OK   bool // the configuration is in force
}

// The values of keyLoadOutcome.
const (
	loadSuccess = "success"
	loadFailure = "failure"
)

// loadedConfig counts an attempt to load a configuration.
func (c *selfCounts) loadedConfig(load ConfigLoad) {
	c.add(idAgentLoads, 0, loadSuccess)
	c.add(idAgentLoads, 0, loadFailure)
	outcome := loadFailure
	if load.OK {
		outcome = loadSuccess
	}
	c.add(idAgentLoads, 1, outcome)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.load = load; load.OK {
		c.loaded = load.At
	}
}

// staleConfig notes whether the configuration on disk is another than the one in force.
func (c *selfCounts) staleConfig(stale bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stale = number(stale)
}

// buildAttributes say what program this is, by the names that Prometheus' own build_info has, and where its page is.
// What is not known is absent.
func buildAttributes(version, compiler, revision, url string) []metrics.Attribute {
	var all []metrics.Attribute
	for _, a := range []struct{ key, value string }{
		{keyVersion, version}, {keyCompiler, compiler}, {keyRevision, revision}, {keyAgentURL, url},
	} {
		if a.value != "" {
			all = append(all, metrics.Text(a.key, a.value))
		}
	}
	return all
}

// revision is the commit that this program was built from, empty if the toolchain does not know.
func revision() string {
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, setting := range info.Settings {
			if setting.Key == "vcs.revision" {
				return setting.Value
			}
		}
	}
	return ""
}

// setBuild sets the attributes of the point that says what program this is.
func (c *selfCounts) setBuild(attributes []metrics.Attribute) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.build = attributes
}
