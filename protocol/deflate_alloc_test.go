//go:build !race

package protocol

import (
	"bytes"
	"math"
	"math/rand/v2"
	"testing"
)

// TestAllocsDeflate compresses and decompresses with what is lent.
func TestAllocsDeflate(t *testing.T) {
	for _, size := range []int{40, 100, 1000, 20000} {
		for _, alone := range []bool{false, true} {
			d := &Deflate{ClientNoContextTakeover: alone, ServerNoContextTakeover: alone, Threshold: -1, Pools: onePool{}}
			client, server := negotiated(t, d, d)
			message := bytes.Repeat([]byte(`{"id":12345,"price":`), size/20)
			encoded, decoded := make([]byte, 0, 2*size+100), make([]byte, 0, size)
			wantNoAllocs(t, "a compressed message", func() {
				out, _, err := client.Encode(encoded, message, Fragment{Text, true, true, CompressOn})
				if err != nil {
					t.Fatal(err)
				}
				client.Sent(true)
				if _, err := server.Decode(decoded, out, true, math.MaxInt); err != nil {
					t.Fatal(err)
				}
			})
		}
	}
}

// TestAllocsDeflateInVain has messages compressed that become longer, by a connection
// that is idle in between.
func TestAllocsDeflateInVain(t *testing.T) {
	for _, size := range []int{100, 1000} {
		_, server := negotiated(t, nil, &Deflate{Pools: onePool{}})
		message := make([]byte, size)
		rand.NewChaCha8([32]byte{}).Read(message)
		c, cfg := new(Conn), Config{Role: Server, Extensions: []Extension{server}}
		wantNoAllocs(t, "compressing in vain", func() {
			c.InitFrom(&cfg)
			payload, err := c.EncodePayload(Binary, true, message)
			if err != nil || &payload[0] != &message[0] {
				t.Fatalf("%d bytes, %v", len(payload), err)
			}
		})
	}
}
