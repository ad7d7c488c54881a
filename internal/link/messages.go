package link

import (
	"errors"
	"iter"

	"github.com/tandemws/tandem/protocol"
)

// Messages returns an iterator over the messages that come. It ends quietly
// after a normal close; any other error is its last element.
func (c *Conn) Messages(l *Limit) iter.Seq2[protocol.Message, error] {
	return func(yield func(protocol.Message, error) bool) {
		for {
			m, err := c.Receive(l)
			if errors.Is(err, protocol.ErrClosedOK) {
				return
			}
			if !yield(m, err) || err != nil {
				return
			}
		}
	}
}
