//go:build unix && !linux

package telemetry

// readUsage reads what every Unix tells.
func readUsage() usage {
	user, system := cpuTime()
	return usage{user: user, system: system}
}
