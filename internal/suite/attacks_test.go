package suite

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"math/bits"
	"net"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tandemws/tandem/protocol"
)

// The attacks of docs/topics/security.md that no other test plays.

// long returns the beginning of a frame with a length of 64 bits, whatever
// follows it.
func (r *Raw) long(op protocol.Opcode, fin bool, length uint64) []byte {
	b := []byte{byte(op), 127}
	if fin {
		b[0] |= 0x80
	}
	b = binary.BigEndian.AppendUint64(b, length)
	if r.role == protocol.Client {
		b[1] |= 0x80
		b = append(b, 0, 0, 0, 0)
	}
	return b
}

// TestDeclaredLength declares lengths that overflow a number, alone or together
// with what was sent before, or that are beyond any memory.
func TestDeclaredLength(t *testing.T) {
	for name, tt := range map[string]struct {
		limit  int64
		before int // bytes of a fragment before it
		length uint64
		code   protocol.CloseCode
	}{
		"top bit":                  {0, 0, 1 << 63, protocol.ProtocolError},
		"all bits":                 {0, 0, math.MaxUint64, protocol.ProtocolError},
		"top bit, no limit":        {-1, 0, 1 << 63, protocol.ProtocolError},
		"largest":                  {0, 0, math.MaxInt64, protocol.MessageTooBig},
		"largest, no limit":        {-1, 0, math.MaxInt64, protocol.MessageTooBig},
		"sum of fragments":         {0, 10, math.MaxInt64 - 5, protocol.MessageTooBig},
		"sum, no limit":            {-1, 10, math.MaxInt64 - 5, protocol.MessageTooBig},
		"1 TB":                     {0, 0, 1 << 40, protocol.MessageTooBig},
		"the limit and one":        {0, 0, protocol.DefaultMaxMessageSize + 1, protocol.MessageTooBig},
		"the limit, with fragment": {0, 1, protocol.DefaultMaxMessageSize, protocol.MessageTooBig},
	} {
		t.Run(name, func(t *testing.T) {
			EachEnd(t, func(t *testing.T, e End) {
				synctest.Test(t, func(t *testing.T) {
					e.Options.MaxMessageSize = tt.limit
					conn, raw := e.Against(t)
					go conn.Recv(0)
					op := protocol.OpBinary
					if tt.before > 0 {
						raw.Send(t, raw.Frame(op, false, strings.Repeat("x", tt.before)))
						op = protocol.OpContinuation
					}
					raw.Send(t, raw.long(op, true, tt.length))
					h, payload, err := raw.Next()
					ok(t, err)
					if code := protocol.CloseCode(binary.BigEndian.Uint16([]byte(payload))); h.Opcode != protocol.OpClose || code != tt.code {
						t.Errorf("closed with %v, want %v", code, tt.code)
					}
				})
			})
		})
	}
}

// TestDeclaredAndNotSent declares a terabyte where there is no limit, and sends
// one byte of it: memory is for what has arrived.
func TestDeclaredAndNotSent(t *testing.T) {
	if bits.UintSize == 32 {
		t.Skip("a terabyte is too big for 32 bits, and refused")
	}
	EachEnd(t, func(t *testing.T, e End) {
		e.Options.MaxMessageSize = -1
		conn, raw := e.Against(t)
		received := make(chan error, 1)
		go func() {
			_, err := conn.Recv(0)
			received <- err
		}()
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		raw.Send(t, append(raw.long(protocol.OpBinary, true, 1<<40), 'x'))
		raw.Close()
		if <-received == nil {
			t.Error("received a terabyte")
		}
		runtime.ReadMemStats(&after)
		if grown := after.TotalAlloc - before.TotalAlloc; grown > 1<<20 {
			t.Errorf("%d bytes were allocated for one", grown)
		}
	})
}

// TestLongControl sends and is asked to send control frames of more than 125
// bytes.
func TestLongControl(t *testing.T) {
	long := strings.Repeat("x", 126)
	EachEnd(t, func(t *testing.T, e End) {
		synctest.Test(t, func(t *testing.T) {
			conn, raw := e.Against(t)
			if _, err := conn.Ping([]byte(long)); err == nil {
				t.Error("sent a long ping")
			}
			if err := conn.Pong([]byte(long)); err == nil {
				t.Error("sent a long pong")
			}
			if err := conn.CloseWith(protocol.NormalClosure, long[:124]); err == nil {
				t.Error("sent a long close frame")
			}
			alive(t, conn)
			go conn.Recv(0)
			raw.Send(t, raw.Frame(protocol.OpPing, true, long))
			raw.ExpectClose(t, protocol.ProtocolError, "ping frame with more than 125 bytes")
		})
	})
}

// TestPongsForOnePing answers one ping many times: it is settled once, and the
// others, which come later, change no latency.
func TestPongsForOnePing(t *testing.T) {
	EachEnd(t, func(t *testing.T, e End) {
		synctest.Test(t, func(t *testing.T) {
			conn, raw := e.Against(t)
			pong, err := conn.Ping([]byte("once"))
			ok(t, err)
			raw.Expect(t, protocol.OpPing, "once")
			go conn.Recv(0)
			for range 10 {
				time.Sleep(time.Second)
				raw.Send(t, raw.Frame(protocol.OpPong, true, "once"))
			}
			rtt, err := pong.Wait(time.Minute)
			ok(t, err)
			if rtt != time.Second || conn.Latency() > time.Second {
				t.Errorf("round trip %v, latency %v", rtt, conn.Latency())
			}
			alive(t, conn)
		})
	})
}

// TestHostileRequests sends requests that make a careless parser work for ever,
// or fall over. Each is answered, soon, and the server goes on.
func TestHostileRequests(t *testing.T) {
	const head = "GET / HTTP/1.1\r\nHost: tandem.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
	const size = 500 << 10
	type hostile struct {
		name, lines string
		status      int // 0: whatever it is
	}
	attacks := []hostile{
		{"10,000 headers", manyHeaders(10000), 101},
		{"open quote", `Sec-WebSocket-Extensions: a;b="` + strings.Repeat(`\c`, size/2) + "\r\n", 400},
		{"extensions", "Sec-WebSocket-Extensions: " + strings.Repeat("a,", size/2) + "\r\n", 400},
		{"extension lines", strings.Repeat("Sec-WebSocket-Extensions: a\r\n", 10000), 400},
		{"parameters of an object", "Sec-WebSocket-Extensions: constructor;__proto__=1\r\n", 101},
		{"spaces", "Sec-WebSocket-Protocol: b" + strings.Repeat(" ", size) + "x\r\n", 400},
		{"subprotocols", "Sec-WebSocket-Protocol: " + strings.Repeat("a,", size/2) + "\r\n", 400},
		{"connection tokens", "Connection: " + strings.Repeat("a,", size/2) + "\r\n", 101},
		{"too much", "X: " + strings.Repeat("x", 2<<20) + "\r\n", 431},
	}
	for b := range 256 {
		for _, name := range []string{"Extensions", "Protocol", "Accept"} {
			lines := fmt.Sprintf("Sec-WebSocket-%s: a%cb\r\n", name, b)
			lines = strings.Replace(lines, string(rune(b)), string([]byte{byte(b)}), 1)
			attacks = append(attacks, hostile{fmt.Sprintf("%s with %#x", name, b), lines, 0})
		}
	}
	for _, face := range Faces {
		l := listenTCP(t)
		server, err := face.Serve(echoing, "", &Options{Listener: l, MaxHeaderBytes: 1 << 20})
		ok(t, err)
		for _, attack := range attacks {
			status := request(t, l.Addr(), head+attack.lines+"\r\n")
			if attack.status != 0 && status != attack.status || status == http.StatusInternalServerError {
				t.Errorf("%s, %s: status %d, want %d", face.Name(), attack.name, status, attack.status)
			}
		}
		ok(t, server.Close())
	}
}

func manyHeaders(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "X-%d: x\r\n", i)
	}
	return b.String()
}

// request sends a request and returns the status of the answer.
func request(t *testing.T, addr net.Addr, request string) int {
	t.Helper()
	conn, err := net.Dial("tcp", addr.String())
	ok(t, err)
	defer conn.Close()
	ok(t, conn.SetDeadline(time.Now().Add(time.Minute)))
	go io.WriteString(conn, request) // the answer may come before all of it was read
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Errorf("%.200q: %v", request[len(request)-min(len(request), 60):], err)
		return 0
	}
	return resp.StatusCode
}

// TestInjection has an application hand on text with line ends from somebody
// else: nothing is sent.
func TestInjection(t *testing.T) {
	for _, text := range []string{"a\r\nX: y", "a\nb", "a\rb", "a\x00b", "\r\n\r\n"} {
		for name, opts := range map[string]Options{
			"value":       {Header: http.Header{"X-From": {text}}},
			"name":        {Header: http.Header{text: {"x"}}},
			"host":        {Host: text},
			"subprotocol": {Protocol: []string{text}},
		} {
			for _, face := range Faces {
				opts.Dial = func(context.Context, string, string) (net.Conn, error) {
					t.Errorf("%s %q: dialled", name, text)
					return nil, io.EOF
				}
				_, err := face.Connect("ws://tandem.test/", &opts)
				if local := as[*protocol.HandshakeError](err); local == nil || !local.Local {
					t.Errorf("%s %q: %v", name, text, err)
				}
			}
		}
	}
}

// TestNothingLeaks runs two connections that borrow the same buffers in turn:
// what one of them received and sent never appears at the other.
func TestNothingLeaks(t *testing.T) {
	const secret = "the secret of the other connection"
	EachEnd(t, func(t *testing.T, e End) {
		synctest.Test(t, func(t *testing.T) {
			rich, richPeer := e.Against(t)
			poor, poorPeer := e.Against(t)
			var seen bytes.Buffer
			done := make(chan struct{})
			go func() {
				defer close(done)
				for {
					_, payload, err := poorPeer.Next()
					if err != nil {
						return
					}
					seen.WriteString(payload)
				}
			}()
			go io.Copy(io.Discard, richPeer)
			for n := range 100 {
				long := strings.Repeat(secret, 1+n*n)
				richPeer.Send(t, richPeer.Text(long), richPeer.Frame(protocol.OpPing, true, secret))
				m, err := rich.Recv(0)
				ok(t, err)
				ok(t, rich.Send(m, 0))
				poorPeer.Send(t, poorPeer.Frame(protocol.OpPing, true, "p"), poorPeer.Text(strings.Repeat("x", n)))
				m, err = poor.Recv(0)
				ok(t, err)
				if strings.Contains(string(m.Data), "secret") {
					t.Fatal("received the secret")
				}
				ok(t, poor.Send(m, 0))
				_, err = poor.Ping(nil)
				ok(t, err)
				synctest.Wait()
			}
			ok(t, poor.Flush())
			poor.CloseNow()
			<-done
			if seen.Len() < 1000 || strings.Contains(seen.String(), "secret") {
				t.Errorf("%d bytes were seen, with the secret among them: %t", seen.Len(), strings.Contains(seen.String(), "secret"))
			}
		})
	})
}

// TestMasks looks at the masking keys of a client's frames: each is new, and no
// bit of them is more likely than not. Being wrong about that by chance is less
// likely than one in a million.
func TestMasks(t *testing.T) {
	const frames = 4096
	for _, face := range Faces {
		t.Run(face.Name(), func(t *testing.T) {
			e := End{Face: face, Role: protocol.Client}
			e.Options.Keepalive.Interval = noPings
			conn, raw := e.Against(t)
			go func() {
				for range frames {
					conn.Send(protocol.TextMessage("x"), 0)
				}
				conn.Flush()
			}()
			seen, ones, again := make(map[[4]byte]bool), [32]int{}, 0
			for range frames {
				h, _, err := raw.Next()
				ok(t, err)
				if !h.Masked {
					t.Fatal("not masked")
				}
				if seen[h.Mask] {
					again++
				}
				seen[h.Mask] = true
				key := binary.BigEndian.Uint32(h.Mask[:])
				for i := range ones {
					ones[i] += int(key >> i & 1)
				}
			}
			if again > 2 { // 0.002 are expected
				t.Errorf("%d keys came again", again)
			}
			for i, n := range ones { // the standard deviation is 32
				if n < frames/2-6*32 || n > frames/2+6*32 {
					t.Errorf("bit %d was set %d times in %d", i, n, frames)
				}
			}
		})
	}
}
