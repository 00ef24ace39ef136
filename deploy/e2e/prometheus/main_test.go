package prometheus

import (
	"flag"
	"os"
	"testing"
	"time"

	"github.com/wsprobe/wsprobe/deploy/e2e/lab"
)

// length is the time that the agent probes in each test of many probes, an outage included.
var length = flag.Duration("length", 90*time.Second, "time to probe in each test of many probes")

// The probes of TestVeryManyProbesAreStored.
var (
	crowdSize     = flag.Int("probes", 2000, "number of probes in the test of very many")
	crowdInterval = flag.Duration("probe-interval", 10*time.Second, "interval of the probes in the test of very many")
)

func TestMain(m *testing.M) {
	flag.Parse()
	// The tests wait most of the time: all of them run at once, whatever the number of processors is.
	if err := flag.Set("test.parallel", "16"); err != nil {
		panic(err)
	}
	os.Exit(lab.RunTests(m))
}
