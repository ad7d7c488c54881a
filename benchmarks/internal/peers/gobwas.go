package peers

import (
	"bufio"
	"io"
	"net"
	"slices"
	"sync"

	"github.com/gobwas/ws"
)

// gobwas reads through a buffer and writes header and payload at once, from a
// shared buffer that is taken when a message begins.
func gobwas(setup Setup) net.Addr {
	return serve(setup, func(conn net.Conn) {
		must(ws.Upgrade(conn))
		gobwasEcho(conn, bufio.NewReaderSize(conn, 4096))
	})
}

// gobwasPlain reads without a buffer: smaller when idle, more system calls.
func gobwasPlain(setup Setup) net.Addr {
	return serve(setup, func(conn net.Conn) {
		must(ws.Upgrade(conn))
		gobwasEcho(conn, conn)
	})
}

// a message is room for a header, ended by it, and a payload.
type message struct{ bytes []byte }

var messages = sync.Pool{New: func() any { return new(message) }}

func gobwasEcho(conn net.Conn, r io.Reader) {
	defer conn.Close()
	for {
		h, err := ws.ReadHeader(r)
		if err != nil || h.OpCode == ws.OpClose {
			return
		}
		m := messages.Get().(*message)
		if err := m.echo(conn, r, h); err != nil {
			return
		}
		messages.Put(m)
	}
}

func (m *message) echo(conn net.Conn, r io.Reader, h ws.Header) error {
	n := ws.MaxHeaderSize + int(h.Length)
	m.bytes = slices.Grow(m.bytes[:0], n)[:n]
	payload := m.bytes[ws.MaxHeaderSize:]
	if _, err := io.ReadFull(r, payload); err != nil {
		return err
	}
	ws.Cipher(payload, h.Mask, 0)
	h.Masked, h.Mask = false, [4]byte{}
	begin := ws.MaxHeaderSize - ws.HeaderSize(h)
	head := tail{m.bytes[begin:begin]}
	if err := ws.WriteHeader(&head, h); err != nil {
		return err
	}
	_, err := conn.Write(m.bytes[begin:])
	return err
}

// tail appends where there is room.
type tail struct{ bytes []byte }

func (t *tail) Write(b []byte) (int, error) {
	t.bytes = append(t.bytes, b...)
	return len(b), nil
}
