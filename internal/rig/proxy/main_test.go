package proxy

import (
	"testing"

	"github.com/tandemws/tandem/internal/rig/face"
)

func TestMain(m *testing.M) { face.Main(m) }
