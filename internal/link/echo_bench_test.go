package link

import (
	"fmt"
	"net"
	"testing"
	"time"

	"github.com/tandemws/tandem/keepalive"
	"github.com/tandemws/tandem/protocol"
)

// mill is a transport without a system: each read brings the same frames, and
// each write is swallowed. What remains is our own part of the cost.
type mill struct {
	frames []byte
}

func (m *mill) read(in *input) error {
	in.borrow()
	in.n = int32(copy(in.block[:], m.frames))
	return nil
}

func (m *mill) tryWrite(out *output) (ok bool, err error) {
	out.wrote(out.len())
	return true, nil
}

func (m *mill) writeOnce(w *once) (ok bool, err error) {
	w.n = len(w.frame) + len(w.body)
	return true, nil
}

func (m *mill) gathers() bool                   { return false }
func (m *mill) write(out *output) error         { out.wrote(out.len()); return nil }
func (m *mill) setReadDeadline(time.Time) error { return nil }
func (m *mill) setWriteDeadline(time.Time)      {}
func (m *mill) closeWrite() bool                { return false }
func (m *mill) close(bool) error                { return nil }
func (m *mill) closesAtOnce() bool              { return true }
func (m *mill) inspect() keepalive.Transport    { return keepalive.Transport{} }
func (m *mill) localAddr() net.Addr             { return pipeAddr("mill") }
func (m *mill) remoteAddr() net.Addr            { return pipeAddr("mill") }

// BenchmarkEcho receives and sends messages of 32 bytes, of which so many
// arrive at once.
func BenchmarkEcho(b *testing.B) {
	for _, depth := range []int{1, 16} {
		b.Run(fmt.Sprint("depth=", depth), func(b *testing.B) {
			m := new(mill)
			for range depth {
				m.frames = append(m.frames, clientFrame(protocol.OpBinary, make([]byte, 32))...)
			}
			c := new(Conn)
			ours, theirs := NewPipe()
			defer theirs.Close()
			c.Init(ours, nil, Options{Role: protocol.Server}.WithDefaults())
			c.setTransport(m)
			buf := make([]byte, 0, 64)
			b.ReportAllocs()
			for b.Loop() {
				typ, data, err := c.ReceiveAppend(nil, buf[:0])
				if err != nil {
					b.Fatal(err)
				}
				if err := c.Send(nil, protocol.Message{Type: typ, Data: data}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
