package jaeger

import (
	"flag"
	"os"
	"testing"

	"github.com/wsprobe/wsprobe/deploy/e2e/lab"
)

func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(lab.RunTests(m))
}
