package health

// Status is what the values of a probe mean. A greater one is worse.
type Status uint8

// The statuses. Their names and numbers are part of wsprobe's interface.
const (
	// Unknown is no status: that of a probe without thresholds, and of one before its first run.
	Unknown Status = iota
	// Healthy is a value that is as it should be.
	Healthy
	// Degraded is a value that is neither healthy nor unhealthy.
	Degraded
	// Unhealthy is a value that is as it must not be.
	Unhealthy
	// NoData is a run without a value. connection_success has one in every run, so it never has this status.
	NoData

	statusCount
)

var statusNames = [statusCount]string{"unknown", "healthy", "degraded", "unhealthy", "no_data"}

// Statuses returns every status that a value can have, the best first.
func Statuses() []Status { return []Status{Healthy, Degraded, Unhealthy, NoData} }

// String returns the name of the status.
func (s Status) String() string { return statusNames[s] }

// Number is the status as a metric has it: 0 healthy, 1 degraded, 2 unhealthy, 3 no_data. Unknown has none and is in
// no metric.
func (s Status) Number() int { return int(s) - int(Healthy) }
