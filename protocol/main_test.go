package protocol

import (
	"testing"

	"go.uber.org/goleak"
)

// TestMain checks that the package starts no goroutine that outlives a test;
// it is to start none at all.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }
