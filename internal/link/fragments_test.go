package link

import (
	"bytes"
	"io"
	"math/rand/v2"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tandemws/tandem/keepalive"
	"github.com/tandemws/tandem/protocol"
)

// TestAhead has two connections do the same at random, one of which writes the
// fragments of a message together and the other one by one: each step has the
// same outcome, and the same bytes have arrived at the peer after it.
func TestAhead(t *testing.T) {
	for seed := range uint64(150) {
		expectSame(t, seed, transcript(t, seed, openFragments), transcript(t, seed, func(t *testing.T, s *script) {
			openFragments(t, s)
			setTransport(s.c, oneByOne{s.c.tr()})
		}))
	}
}

func openFragments(t *testing.T, s *script) {
	s.c, s.peer = open(t, Options{MaxFragmentSize: []int{4200, 9000}[s.r.IntN(2)], MaxQueue: 4})
	s.send = (*Conn).Send
}

func setTransport(c *Conn, tr transport) {
	c.lock()
	defer c.unlock()
	c.setTransport(tr)
}

// oneByOne is a transport that writes one fragment at a time.
type oneByOne struct{ transport }

func (o oneByOne) tryWrite(out *output) (ok bool, err error) {
	ahead := out.ahead
	out.ahead = nil
	ok, err = o.transport.tryWrite(out)
	out.ahead = ahead
	return ok, err
}

// counted is a transport that counts writes.
type counted struct {
	transport
	writes int
}

func (c *counted) tryWrite(out *output) (ok bool, err error) {
	c.writes++
	return c.transport.tryWrite(out)
}

func (c *counted) writeOnce(w *once) (ok bool, err error) {
	c.writes++
	return c.transport.writeOnce(w)
}

// TestTogether sends fragments of a message to a peer that takes all of them: no
// more than are held ahead leave in one write.
func TestTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const size = 5000
		for fragments, want := range map[int]int{1: 1, 2: 1, 1 + maxAhead: 1, 2 + maxAhead: 2} {
			c, peer := open(t, Options{MaxFragmentSize: size})
			tr := &counted{transport: c.tr()}
			setTransport(c, tr)
			if err := c.Send(nil, protocol.BinaryMessage(make([]byte, fragments*size))); err != nil {
				t.Fatal(err)
			}
			if tr.writes != want {
				t.Errorf("%d fragments left in %d writes, want %d", fragments, tr.writes, want)
			}
			if n, err := io.CopyN(io.Discard, peer, int64(fragments*(4+size))); err != nil {
				t.Errorf("%d fragments: %d bytes, %v", fragments, n, err)
			}
		}
	})
}

// TestFragmentsOverTCP sends messages of several fragments to a peer that reads
// slowly, and to one that takes all at once.
func TestFragmentsOverTCP(t *testing.T) {
	for _, buffer := range []int{4 << 10, 4 << 20} {
		theirs, ours := tcpPair(t)
		ours.(*net.TCPConn).SetWriteBuffer(buffer)
		c := opened(ours, Options{Role: protocol.Server, MaxFragmentSize: 100 << 10, Keepalive: keepalive.Config{Interval: -1}})
		data := make([]byte, 1<<20)
		rand.NewChaCha8([32]byte{}).Read(data)
		sent := make(chan error, 1)
		go func() {
			for _, n := range []int{len(data), 100<<10 + 20, 900 << 10} {
				if err := c.Send(nil, protocol.BinaryMessage(data[:n])); err != nil {
					sent <- err
					return
				}
			}
			close(sent)
		}()
		for _, n := range []int{len(data), 100<<10 + 20, 900 << 10} {
			if got := readMessage(t, theirs); !bytes.Equal(got, data[:n]) {
				t.Errorf("buffer of %d: %d bytes came for %d, or others", buffer, len(got), n)
			}
		}
		if err := <-sent; err != nil {
			t.Error(err)
		}
		end(c)
	}
}

// readMessage reads the frames of a message.
func readMessage(t *testing.T, r io.Reader) (data []byte) {
	t.Helper()
	for {
		head := make([]byte, 10) // what frames of 126 bytes and more have at least
		if _, err := io.ReadFull(r, head); err != nil {
			t.Fatal(err)
		}
		h, size, err := protocol.ParseHeader(head)
		if err != nil || h.Length < 10 {
			t.Fatal(h, err)
		}
		payload := make([]byte, h.Length)
		rest := payload[copy(payload, head[size:]):]
		if _, err := io.ReadFull(r, rest); err != nil {
			t.Fatal(err)
		}
		if data = append(data, payload...); h.Fin {
			return data
		}
	}
}

// TestCutHeader has the network stop before each byte of a fragment's header.
func TestCutHeader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for room := range 5 {
			const size, fragments = pipeBuffer - 8, 4 // two of them, what goes before, and room fill the path
			c, peer := open(t, Options{MaxFragmentSize: size})
			before := 2*pipeBuffer - 2*(4+size) - room
			c.Send(nil, protocol.BinaryMessage(make([]byte, before-2)))
			message := bytes.Repeat([]byte("word"), fragments*size/4)
			go c.Send(nil, protocol.BinaryMessage(message))
			synctest.Wait()
			io.CopyN(io.Discard, peer, int64(before))
			if got := readMessage(t, peer); !bytes.Equal(got, message) {
				t.Errorf("%d bytes of the header were written at first: other bytes came", room)
			}
		}
	})
}

// TestPingBetweenFragments pings when a message has stopped in one of the
// fragments that were to leave together: the ping leaves behind that one.
func TestPingBetweenFragments(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const size, fragments = 50000, 6
		c, peer := open(t, Options{MaxFragmentSize: size})
		go c.Send(nil, protocol.BinaryMessage(make([]byte, fragments*size)))
		synctest.Wait()
		go c.Ping(nil, []byte("ping"))
		synctest.Wait()
		if got, want := opcodes(t, peer), "data data data ping data data data "; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	})
}

// opcodes reads until nothing more comes, and returns what kinds of frames it was.
func opcodes(t *testing.T, peer io.Reader) (kinds string) {
	t.Helper()
	var wire []byte
	buf := make([]byte, pipeBuffer)
	for peer.(*pipeEnd).SetReadDeadline(time.Now().Add(time.Second)); ; {
		n, err := peer.Read(buf)
		if wire = append(wire, buf[:n]...); err != nil {
			break
		}
	}
	for len(wire) > 0 {
		h, size, err := protocol.ParseHeader(wire)
		if err != nil || size+int(h.Length) > len(wire) {
			t.Fatalf("after %s: %v", kinds, err)
		}
		if kinds += "data "; h.Opcode == protocol.OpPing {
			kinds = kinds[:len(kinds)-5] + "ping "
		}
		wire = wire[size+int(h.Length):]
	}
	return kinds
}
