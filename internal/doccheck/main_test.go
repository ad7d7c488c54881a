package doccheck

import (
	"testing"

	"go.uber.org/goleak"
)

// TestMain checks that nothing outlives a test.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }
