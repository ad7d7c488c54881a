package link

import (
	"sync"

	"github.com/tandemws/tandem/protocol"
)

// Pools lend compressors and decompressors to all connections.
var Pools protocol.Pools = new(pools)

type pools [protocol.PoolKinds]sync.Pool

func (p *pools) Get(kind int) any    { return p[kind].Get() }
func (p *pools) Put(kind int, x any) { p[kind].Put(x) }
