package main

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

type loadParams struct {
	addr     string
	framed   bool // WebSocket frames; else plain bytes
	conns    int
	size     int
	depth    int
	duration time.Duration
}

// load is a number of connections that send messages and wait for the echoes,
// depth of them at a time.
type load struct {
	params loadParams
	conns  []net.Conn
	batch  []byte // depth messages, as they are sent
	answer int    // bytes that come back for a batch
}

func newLoad(params loadParams) *load {
	l := &load{params: params}
	message, answer := bytes.Repeat([]byte("x"), params.size), params.size
	if params.framed {
		message, answer = frame(message, true), len(frame(message, false))
	}
	l.batch = bytes.Repeat(message, params.depth)
	l.answer = answer * params.depth
	l.conns = make([]net.Conn, params.conns)
	for i := range l.conns {
		l.conns[i] = must(net.Dial("tcp", params.addr))
		if params.framed {
			upgrade(l.conns[i])
		}
	}
	return l
}

// frame returns the payload as a binary frame. The masking key is constant:
// what it costs to make one is not to be measured here.
func frame(payload []byte, masked bool) []byte {
	b := []byte{0x82}
	switch n := len(payload); {
	case n < 126:
		b = append(b, byte(n))
	case n < 1<<16:
		b = binary.BigEndian.AppendUint16(append(b, 126), uint16(n))
	default:
		b = binary.BigEndian.AppendUint64(append(b, 127), uint64(n))
	}
	if !masked {
		return append(b, payload...)
	}
	b[1] |= 0x80
	key := [4]byte{0x12, 0x34, 0x56, 0x78}
	b = append(b, key[:]...)
	for i, c := range payload {
		b = append(b, c^key[i&3])
	}
	return b
}

func upgrade(conn net.Conn) {
	must(io.WriteString(conn, "GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"+
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"))
	resp := must(http.ReadResponse(bufio.NewReader(conn), nil))
	if resp.StatusCode != http.StatusSwitchingProtocols {
		check(fmt.Errorf("opening handshake: %s", resp.Status))
	}
}

// run sends for the duration and returns how many messages came back.
func (l *load) run(d time.Duration) int64 {
	var messages atomic.Int64
	var stop atomic.Bool
	var all sync.WaitGroup
	for _, conn := range l.conns {
		all.Go(func() {
			buf := make([]byte, min(l.answer, 256<<10))
			for !stop.Load() {
				l.exchange(conn, buf)
				messages.Add(int64(l.params.depth))
			}
		})
	}
	time.Sleep(d)
	stop.Store(true)
	all.Wait()
	return messages.Load()
}

// echoOnce sends one batch on each connection.
func (l *load) echoOnce() {
	buf := make([]byte, l.answer)
	for _, conn := range l.conns {
		l.exchange(conn, buf)
	}
}

// exchange sends a batch and reads its answer, at the same time when both are
// large: the server may begin to answer before it has read all.
func (l *load) exchange(conn net.Conn, buf []byte) {
	if len(l.batch) > 64<<10 {
		sent := make(chan struct{})
		go func() {
			must(conn.Write(l.batch))
			close(sent)
		}()
		defer func() { <-sent }()
	} else {
		must(conn.Write(l.batch))
	}
	for left := l.answer; left > 0; {
		n := must(conn.Read(buf[:min(left, len(buf))]))
		left -= n
	}
}

func (l *load) close() {
	for _, conn := range l.conns {
		conn.Close()
	}
}
