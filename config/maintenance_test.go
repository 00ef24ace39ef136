package config

import (
	"fmt"
	"testing"
)

// TestMaintenance: the windows of a probe are its own, or those of defaults, which probes share.
func TestMaintenance(t *testing.T) {
	clearEnvironment(t)
	const defaults = "defaults: {maintenance: [{days: [sat], from: '22:00', to: '02:00', zone: Europe/Berlin}]}\n"
	config, err := Parse("wsprobe.yaml", []byte(defaults+"probes:\n"+
		"  - {name: a, url: 'ws://h/'}\n"+
		"  - {name: b, url: 'ws://h/', maintenance: [{from: 2926-12-01T22:00:00Z, to: 2926-12-02T02:00:00+01:00}, {from: 20:00, to: 24:00}]}\n"+
		"  - {name: c, url: 'ws://h/', maintenance: []}\n"+
		"  - {name: d, url: 'ws://h/', maintenance: ~}\n"))
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{
		"[sat 22:00 to 02:00 Europe/Berlin]",
		"[2926-12-01T22:00:00Z to 2926-12-02T02:00:00+01:00 daily 20:00 to 24:00 UTC]",
		"[]",
		"[sat 22:00 to 02:00 Europe/Berlin]",
	} {
		if got := fmt.Sprint(config.Probes[i].Maintenance.Windows()); got != want {
			t.Errorf("%s: %s, want %s", config.Probes[i].Name, got, want)
		}
	}
	if config.Probes[0].Maintenance != config.Probes[3].Maintenance {
		t.Error("probes do not share the windows of defaults")
	}
}

// TestZonesAreGuessed: a zone that is written in another way is told in the right one.
func TestZonesAreGuessed(t *testing.T) {
	for name, want := range map[string]string{
		"Berlin": "Europe/Berlin", "europe/berlin": "Europe/Berlin", "EUROPE/BERLIN": "Europe/Berlin", "Europe/Berln": "Europe/Berlin",
		"new york": "America/New_York", "America/New York": "America/New_York", "buenos aires": "America/Buenos_Aires",
		"Tokyo": "Asia/Tokyo", "port of spain": "America/Port_of_Spain", "xyz": "", "": "", "../../../etc/passwd": "",
	} {
		if got := suggestZone(name); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
}
