package e2e

import (
	"os"
	"strconv"
	"sync"
	"testing"

	"github.com/wsprobe/wsprobe/deploy/e2e/lab"
)

// The modules of the programs under test, from this folder.
const (
	agentModule     = "../.."
	collectorModule = "../collector"
)

// The programs are built by the first test that needs them, so that -run on a test without a Collector does not wait
// for one. The flags are those of make test, or none, so that whatever else is built there shares the cache.
var (
	agentBinary = sync.OnceValues(func() (string, error) {
		return lab.Build(agentModule, "./cmd/wsprobe", "-race="+strconv.FormatBool(detectRaces))
	})
	collectorBinary = sync.OnceValues(func() (string, error) { return lab.Build(collectorModule, ".") })
)

func TestMain(m *testing.M) {
	os.Exit(lab.RunTests(m))
}

// built returns a program or fails the test.
func built(t *testing.T, program func() (string, error)) string {
	t.Helper()
	path, err := program()
	if err != nil {
		t.Fatal(err)
	}
	return path
}
