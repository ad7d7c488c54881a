package howto

import (
	"testing"

	"github.com/tandemws/tandem/internal/rig/witness"
)

func TestMain(m *testing.M) { witness.Main(m) }
