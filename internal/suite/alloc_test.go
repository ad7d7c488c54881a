package suite

import (
	"testing"

	"github.com/tandemws/tandem/protocol"
)

// TestEchoAllocates counts the allocations of a message there and back, with
// RecvAppend and Send on both sides: none.
func TestEchoAllocates(t *testing.T) {
	if Race {
		t.Skip("the race detector allocates")
	}
	for _, size := range []int{0, 32, 1000, 10000} {
		Each(t, func(t *testing.T, s Setting) {
			clientEnd, serverEnd := tcpPair(t)
			client, server := s.Pair(t, clientEnd, serverEnd)
			go func() { // ends with the connection
				buf := make([]byte, 0, size)
				for {
					typ, data, err := server.RecvAppend(buf[:0])
					if err != nil || server.Send(protocol.Message{Type: typ, Data: data}, 0) != nil {
						return
					}
					buf = data
				}
			}()
			m, buf := protocol.BinaryMessage(pattern(size)), make([]byte, 0, size)
			allocs := testing.AllocsPerRun(200, func() {
				if err := client.Send(m, 0); err != nil {
					t.Fatal(err)
				}
				if _, _, err := client.RecvAppend(buf); err != nil {
					t.Fatal(err)
				}
			})
			if allocs > 0 {
				t.Errorf("%d bytes: %v allocations", size, allocs)
			}
		})
	}
}

// TestRecvAllocates counts what Recv costs, which gives its caller memory of
// its own: that.
func TestRecvAllocates(t *testing.T) {
	if Race {
		t.Skip("the race detector allocates")
	}
	Each(t, func(t *testing.T, s Setting) {
		clientEnd, serverEnd := tcpPair(t)
		client, server := s.Pair(t, clientEnd, serverEnd)
		m := protocol.BinaryMessage(pattern(1000))
		allocs := testing.AllocsPerRun(200, func() {
			if err := client.Send(m, 0); err != nil {
				t.Fatal(err)
			}
			if _, err := server.Recv(0); err != nil {
				t.Fatal(err)
			}
		})
		if allocs > 1 {
			t.Errorf("%v allocations", allocs)
		}
	})
}
