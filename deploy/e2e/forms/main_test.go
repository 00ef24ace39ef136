package forms

import (
	"flag"
	"os"
	"testing"

	"github.com/wsprobe/wsprobe/deploy/e2e/lab"
)

func TestMain(m *testing.M) {
	flag.Parse()
	// The tests wait most of the time: all of them run at once, whatever the number of processors is.
	if err := flag.Set("test.parallel", "16"); err != nil {
		panic(err)
	}
	os.Exit(lab.RunTests(m))
}
