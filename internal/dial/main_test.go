package dial

import (
	"testing"

	"go.uber.org/goleak"
)

// TestMain checks that no goroutine outlives a test.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }
