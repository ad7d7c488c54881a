package suite

import (
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tandemws/tandem/internal/link"
	"github.com/tandemws/tandem/protocol"
)

// Text that is not UTF-8 fails the connection with 1007 (RFC 6455, section 8.1),
// and does so when the byte arrives after which it cannot be UTF-8 any more: a
// peer that has gone wrong is not listened to for the rest of its message.

// A badText is a message that goes wrong with the last byte of bad.
type badText struct {
	fragments []string // sent before, and good so far
	bad       string   // the beginning of the frame in which it goes wrong
	rest      int      // how many bytes of that frame are announced and never sent
}

var badTexts = map[string]badText{
	"no character begins so":     {bad: "abc\xff", rest: 10},
	"the character is not ended": {bad: "κόσμε\xcea", rest: 10},
	"overlong":                   {bad: "\xe0\x80", rest: 100},
	"a surrogate":                {bad: "ab\xed\xa0", rest: 1000},
	"beyond Unicode":             {bad: "κόσμε\xf4\x90", rest: 100_000},
	"in a later fragment":        {fragments: []string{"κόσ", "", "με"}, bad: "κ\xf5", rest: 10},
	"across fragments":           {fragments: []string{"κόσ\xe2\x82"}, bad: "(", rest: 10},
	"cut off at the end":         {fragments: []string{"κόσ"}, bad: "με\xe2\x82"},
}

// textReceivers are the ways for an application to receive, or to leave it to
// the attendant. Each returns when the connection has ended.
var textReceivers = map[string]func(Conn){
	"recv":   func(conn Conn) { conn.Recv(0) },
	"append": func(conn Conn) { conn.RecvAppend(nil) },
	"reader": func(conn Conn) {
		if _, r, err := conn.RecvReader(); err == nil {
			io.Copy(io.Discard, r)
		}
	},
	"messages": func(conn Conn) {
		for range conn.Messages() {
		}
	},
	"pong": func(conn Conn) { // none comes, and nobody receives
		if pong, err := conn.Ping(nil); err == nil {
			pong.Wait(0)
		}
	},
	"nothing": func(conn Conn) { <-conn.Done() },
}

// TestBadTextFailsAtOnce has a peer send such a text byte by byte: our close
// frame comes after the bad byte, neither before it nor with the rest. Over a
// wrapped connection too: its bytes come another way.
func TestBadTextFailsAtOnce(t *testing.T) {
	for how, receive := range textReceivers {
		for what, text := range badTexts {
			t.Run(how+"/"+what, func(t *testing.T) {
				EachEnd(t, func(t *testing.T, e End) {
					for _, wrap := range []func(net.Conn) net.Conn{
						func(conn net.Conn) net.Conn { return conn },
						func(conn net.Conn) net.Conn { return plain{conn} },
					} {
						synctest.Test(t, func(t *testing.T) {
							ours, theirs := link.NewPipe()
							conn, raw := e.AgainstOver(t, wrap(ours), theirs)
							go receive(conn)        // ends with the connection
							time.Sleep(time.Second) // the attendant is there now, if it has to be
							failsAtOnce(t, conn, raw, text)
						})
					}
				})
			})
		}
	}
}

// failsAtOnce sends the text, one byte at a time, and looks at when the close
// frame comes.
func failsAtOnce(t *testing.T, conn Conn, raw *Raw, text badText) {
	t.Helper()
	closed := closeCodes(raw)
	sent := text.bytes(raw)
	for i := range sent {
		synctest.Wait()
		select {
		case code := <-closed:
			t.Fatalf("closed with %v after %d bytes of %d", code, i, len(sent))
		default:
		}
		raw.Send(t, sent[i:i+1])
	}
	synctest.Wait() // no time passes: nothing but the byte can be the reason
	select {
	case code := <-closed:
		if code != protocol.InvalidPayloadData {
			t.Errorf("closed with %v", code)
		}
	default:
		t.Error("not closed when the bad byte arrived")
	}
	raw.Close()
	<-conn.Done()
	told := closeError(t, conn.Err())
	if told.Sent == nil || told.Sent.Code != protocol.InvalidPayloadData || told.Rcvd != nil {
		t.Errorf("%v: sent %v, received %v", told, told.Sent, told.Rcvd)
	}
}

// bytes returns what is sent of the text, up to the bad byte.
func (text badText) bytes(raw *Raw) (all []byte) {
	op := protocol.OpText
	for _, fragment := range text.fragments {
		all = append(all, raw.Frame(op, false, fragment)...)
		op = protocol.OpContinuation
	}
	last := raw.Frame(op, true, text.bad+strings.Repeat("x", text.rest))
	return append(all, last[:len(last)-text.rest]...)
}

// closeCodes reads frames in a goroutine that ends with the transport, and
// sends on the code of each close frame.
func closeCodes(raw *Raw) <-chan protocol.CloseCode {
	codes := make(chan protocol.CloseCode, 1)
	go func() {
		for {
			h, payload, err := raw.Next()
			if err != nil {
				return
			}
			if h.Opcode == protocol.OpClose && len(payload) >= 2 {
				codes <- protocol.CloseCode(payload[0])<<8 | protocol.CloseCode(payload[1])
			}
		}
	}()
	return codes
}
