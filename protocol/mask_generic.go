//go:build purego || !(amd64 || arm64)

package protocol

import "math"

// minMaskVector is more than any payload has: there are no vectors.
const minMaskVector = math.MaxInt

func maskVector(_, _ []byte, _ uint32) {}
