package suite

import (
	"testing"
	"testing/synctest"

	"github.com/tandemws/tandem/protocol"
)

// TestEcho sends a message there and back.
func TestEcho(t *testing.T) {
	Each(t, func(t *testing.T, s Setting) {
		synctest.Test(t, func(t *testing.T) {
			client, server, _, _ := s.Over(t)
			if err := client.Send(protocol.TextMessage("hello"), 0); err != nil {
				t.Fatal(err)
			}
			m, err := server.Recv(0)
			if err != nil || string(m.Data) != "hello" {
				t.Fatalf("received %q, %v", m.Data, err)
			}
			if err := server.Send(m, 0); err != nil {
				t.Fatal(err)
			}
			if m, err = client.Recv(0); err != nil || string(m.Data) != "hello" || m.Type != protocol.Text {
				t.Fatalf("received %v %q, %v", m.Type, m.Data, err)
			}
			if err := client.Close(); err != nil {
				t.Fatal(err)
			}
		})
	})
}
