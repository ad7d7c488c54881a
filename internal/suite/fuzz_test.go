package suite

import (
	"io"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tandemws/tandem/protocol"
)

// FuzzPeer sends random bytes to a client and a server of each face, cut into
// pieces of a random size. Whatever they are, nothing panics or hangs, and
// every call returns.
func FuzzPeer(f *testing.F) {
	peer := &Raw{role: protocol.Client}
	stream, _ := script(peer)
	f.Add(stream, uint8(7), false)
	f.Add(append(stream, peer.CloseFrame(4000, "bye")...), uint8(0), true)
	peer.role = protocol.Server
	stream, _ = script(peer)
	f.Add(stream, uint8(1), true)
	f.Add(append(stream, 0xff), uint8(200), false)
	f.Add(peer.Frame(protocol.OpText, false, "never ends"), uint8(3), true)
	f.Add([]byte("HTTP/1.1 400 Bad Request\r\n\r\n"), uint8(0), false)
	f.Fuzz(func(t *testing.T, data []byte, piece uint8, asReader bool) {
		for _, face := range Faces {
			for _, role := range []protocol.Role{protocol.Client, protocol.Server} {
				synctest.Test(t, func(t *testing.T) {
					e := End{Face: face, Role: role}
					e.Options.CloseTimeout = time.Second
					survive(t, e, data, int(piece)+1, asReader)
				})
			}
		}
	})
}

// survive has an end receive data, and answer what messages there are in it.
func survive(t *testing.T, e End, data []byte, piece int, asReader bool) {
	conn, peer := e.Against(t)
	go io.Copy(io.Discard, peer) // ends with the connection
	var all sync.WaitGroup
	all.Go(func() {
		for len(data) > 0 {
			n := min(piece, len(data))
			if _, err := peer.Write(data[:n]); err != nil {
				return
			}
			data = data[n:]
			time.Sleep(time.Millisecond)
		}
	})
	all.Go(func() {
		for {
			if !receiveSome(conn, asReader) {
				return
			}
		}
	})
	all.Go(func() { conn.Send(protocol.TextMessage("hello"), time.Second) })
	time.Sleep(time.Second)
	conn.CloseWith(protocol.GoingAway, "")
	closeError(t, conn.Err())
	peer.Close()
	all.Wait()
}

// receiveSome receives a message and echoes it, and reports whether that went
// well.
func receiveSome(conn Conn, asReader bool) bool {
	m := protocol.Message{}
	var err error
	if asReader {
		var r io.Reader
		if m.Type, r, err = conn.RecvReader(); err == nil {
			m.Data, err = io.ReadAll(r)
		}
	} else {
		m, err = conn.Recv(0)
	}
	return err == nil && conn.Send(m, 0) == nil
}
