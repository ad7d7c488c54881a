package link

import (
	"sync"

	"github.com/tandemws/tandem/protocol"
)

// Agreements are what the connections of a server have agreed on, where that is
// all that an idle one has to remember: those that agreed on the same share it.
type Agreements struct {
	mu    sync.Mutex
	lists []*[]protocol.Extension
}

// maxAgreements bounds them, and how long it takes to look for one. Clients that
// do not choose the sizes of windows come to one or two.
const maxAgreements = 16

// of returns the extensions for a connection to keep. a may be nil.
func (a *Agreements) of(extensions []protocol.Extension) *[]protocol.Extension {
	if a != nil && protocol.Interchangeable(extensions, extensions) {
		return a.shared(extensions)
	}
	own := extensions // so that nothing is allocated else
	return &own
}

// shared returns what another connection has already, if there is one.
func (a *Agreements) shared(extensions []protocol.Extension) *[]protocol.Extension {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, list := range a.lists {
		if protocol.Interchangeable(*list, extensions) {
			return list
		}
	}
	own := extensions // so that nothing is allocated else
	if len(a.lists) < maxAgreements {
		a.lists = append(a.lists, &own)
	}
	return &own
}
