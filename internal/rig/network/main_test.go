package network

import (
	"flag"
	"testing"

	"go.uber.org/goleak"
)

// The cases wait, each in a network of its own, so all of them wait at once.
func TestMain(m *testing.M) {
	flag.Parse()
	flag.Set("test.parallel", "100")
	goleak.VerifyTestMain(m)
}
