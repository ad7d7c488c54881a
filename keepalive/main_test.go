package keepalive

import (
	"testing"

	"go.uber.org/goleak"
)

// TestMain checks that no goroutine outlives the tests: Run's ends with its
// context and a Thread's with its last target.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }
