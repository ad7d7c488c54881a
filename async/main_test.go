package async_test

import (
	"testing"

	"go.uber.org/goleak"
)

// TestMain checks that every connection and server of a test ends with it.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }
