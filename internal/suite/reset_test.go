package suite

import (
	"strings"
	"sync"
	"testing"

	"github.com/tandemws/tandem/protocol"
)

// TestNoReset closes over TCP while much of what the peer has sent is unread,
// and it is still sending. Closing the socket then would send a reset, which
// destroys the close frame on its way: the peer would not learn why.
func TestNoReset(t *testing.T) {
	for name, test := range map[string]struct {
		last func(peer *Raw) []byte // what the peer sends last
		code protocol.CloseCode
	}{
		"close":     {func(peer *Raw) []byte { return peer.Text("last") }, 4000},
		"violation": {func(*Raw) []byte { return []byte{0xff} }, protocol.ProtocolError},
		"too big":   {func(peer *Raw) []byte { return peer.Text(strings.Repeat("x", 2000)) }, protocol.MessageTooBig},
	} {
		t.Run(name, func(t *testing.T) {
			EachEnd(t, func(t *testing.T, e End) {
				e.Options.MaxMessageSize = 1000
				ours, theirs := tcpPair(t)
				conn, peer := e.AgainstOver(t, ours, theirs)
				var writing, closing sync.WaitGroup
				writing.Go(func() {
					many := strings.Repeat(string(peer.Text(strings.Repeat("x", 1000))), 50)
					if _, err := peer.Write(append([]byte(many), test.last(peer)...)); err != nil {
						t.Error("peer:", err)
					}
					for range 10 { // it has not noticed yet that we are closing
						if _, err := peer.Write([]byte(many)); err != nil {
							t.Error("peer:", err)
						}
					}
				})
				closing.Go(func() {
					if test.code == 4000 {
						conn.CloseWith(4000, "why")
						return
					}
					for range conn.Messages() {
					}
				})
				h, payload, err := peer.Next()
				if err != nil || h.Opcode != protocol.OpClose || !strings.HasPrefix(payload, closePayload(test.code, "")) {
					t.Fatalf("peer: received %v %q, %v", h.Opcode, payload, err)
				}
				if test.code == 4000 {
					writing.Go(func() { peer.Write(peer.CloseFrame(4000, "why")) })
				}
				if e.Role == protocol.Server {
					peer.ExpectEnd(t) // not that it was reset
				}
				writing.Wait()
				peer.Close()
				<-conn.Done()
				closing.Wait()
				if told := closeError(t, conn.Err()); told.Sent.Code != test.code {
					t.Errorf("%v", told)
				}
			})
		})
	}
}
