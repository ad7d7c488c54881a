package peers

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/tandemws/tandem/internal/face"
	"github.com/tandemws/tandem/internal/rig"
	"github.com/tandemws/tandem/protocol"
)

// TestClients has our clients talk to the servers of other libraries.
func TestClients(t *testing.T) {
	for _, peer := range serverPeers {
		t.Run(peer.name, func(t *testing.T) {
			rig.Need(t, peer.tools...)
			t.Parallel()
			s := peer.start(t)
			for _, f := range face.Both {
				t.Run(f.Name(), func(t *testing.T) { checkClient(t, peer.name, f, s) })
			}
			if peer.compressed == nil {
				return
			}
			s = peer.compressed(t)
			for _, f := range face.Both {
				t.Run(f.Name()+" compressed", func(t *testing.T) {
					expectCompression(t, f, s)
					checkClient(t, peer.name, f, s)
				})
			}
		})
	}
}

// expectCompression sees that compression is agreed on, or nothing would be
// checked of it.
func expectCompression(t *testing.T, f face.Face, s *server) {
	t.Helper()
	c, err := connect(t, f, "ws://"+s.address+"/echo", options())
	if err != nil {
		t.Fatal(err)
	}
	got := strings.Join(protocol.HeaderValues(c.Response().Header, "Sec-WebSocket-Extensions"), ", ")
	if !strings.HasPrefix(got, "permessage-deflate") {
		t.Fatalf("the server has agreed on %q", got)
	}
	t.Logf("%s", got)
}

// checkClient runs all checks that the peer can do.
func checkClient(t *testing.T, peer string, f face.Face, s *server) {
	for _, name := range checks {
		g, isGap := serverGaps[peer][name]
		if isGap && !g.partly {
			continue // in the table of gaps, and so in docs/interop.md
		}
		t.Run(name, func(t *testing.T) {
			x := &exchange{face: f, server: s, hidden: isGap, id: f.Name() + "/" + strings.ReplaceAll(name, " ", "-")}
			clientChecks[name](t, x)
		})
	}
}

// An exchange is one check of one face with one server.
type exchange struct {
	face   face.Face
	server *server
	hidden bool   // the server does not say what it sees of our control frames
	id     string // tells the server's notices apart
}

// clientChecks has a function for each check.
var clientChecks = map[string]func(*testing.T, *exchange){
	checkText: func(t *testing.T, x *exchange) {
		x.echo(t, protocol.TextMessage(textPayload))
	},
	checkBinary: func(t *testing.T, x *exchange) {
		x.echo(t, protocol.BinaryMessage(everyByte()))
	},
	checkEmpty: func(t *testing.T, x *exchange) {
		messages := []protocol.Message{protocol.TextMessage(""), protocol.BinaryMessage(nil)}
		if x.server.lines {
			messages = messages[:1]
		}
		x.echo(t, messages...)
	},
	checkLarge: func(t *testing.T, x *exchange) {
		m := protocol.BinaryMessage(large())
		if x.server.lines {
			m = protocol.TextMessage(strings.Repeat("0123456789abcdef", 1<<16))
		}
		x.echo(t, m)
	},
	checkFragmentsFromTandem: clientSendsFragments,
	checkFragmentsFromPeer:   clientReceivesFragments,
	checkPingFromTandem:      clientPings,
	checkPingFromPeer:        clientIsPinged,
	checkPongFromTandem:      clientSendsPong,
	checkPongFromPeer:        clientReceivesPong,
	checkCloseFromTandem:     clientCloses,
	checkCloseFromPeer:       clientIsClosed,
}

// open connects to a path of the server. The path may have a query.
func (x *exchange) open(t *testing.T, address, path string) conn {
	t.Helper()
	mark := "?"
	if strings.Contains(path, mark) {
		mark = "&"
	}
	c, err := connect(t, x.face, "ws://"+address+path+mark+"id="+url.QueryEscape(x.id), options())
	if err != nil {
		t.Fatalf("connect: %v", err)
	}
	return c
}

// echo sends the messages, expects them back, and closes.
func (x *exchange) echo(t *testing.T, messages ...protocol.Message) {
	t.Helper()
	c := x.open(t, x.server.address, "/echo")
	for _, m := range messages {
		if err := c.Send(m); err != nil {
			t.Fatalf("Send: %v", err)
		}
		expect(t, c, m)
	}
	finish(t, c)
}

// expect receives a message and compares it.
func expect(t *testing.T, c conn, want protocol.Message) {
	t.Helper()
	got, err := c.Recv()
	if err != nil {
		t.Fatalf("Recv: %v", err)
	}
	if got.Type != want.Type || !bytes.Equal(got.Data, want.Data) {
		t.Fatalf("received %s, want %s", show(got), show(want))
	}
}

// show tells a message on one line.
func show(m protocol.Message) string {
	return fmt.Sprintf("%v message of %d bytes %.40q %s", m.Type, len(m.Data), m.Data, digest(m.Data))
}

// finish closes the connection, which must end as both sides want.
func finish(t *testing.T, c conn) {
	t.Helper()
	if err := c.CloseWith(protocol.NormalClosure, ""); err != nil {
		t.Errorf("Close: %v", err)
	}
	if err := c.Err(); !errors.Is(err, protocol.ErrClosedOK) {
		t.Errorf("the connection ended with %v, want a normal end", err)
	}
}

// The server's answer shows that it took the fragments for one message, and the
// record that they were fragments.
func clientSendsFragments(t *testing.T, x *exchange) {
	tap := newTap(t, x.server.address)
	c := x.open(t, tap.address(), "/echo")
	if err := sendFragments(c); err != nil {
		t.Fatal(err)
	}
	expect(t, c, protocol.TextMessage(joined(pieces)))
	finish(t, c)
	expectFragments(t, tap.next(t).client)
}

// sendFragments sends pieces as one text message.
func sendFragments(c conn) error {
	w, err := c.SendWriter(protocol.Text)
	if err != nil {
		return err
	}
	for _, piece := range pieces {
		if _, err := w.Write([]byte(piece)); err != nil {
			return err
		}
	}
	return w.Close()
}

// expectFragments looks for pieces in what one side has sent. The last
// fragment may be empty: some libraries know only then that it is the last.
func expectFragments(t *testing.T, sent []byte) {
	t.Helper()
	_, frames, err := split(sent)
	if err != nil {
		t.Fatal(err)
	}
	got := fragments(frames)
	if len(got) == len(pieces)+1 && got[len(pieces)] == "" {
		got = got[:len(pieces)]
	}
	if !slices.Equal(got, pieces) {
		t.Errorf("fragments on the wire: %q, want %q", got, pieces)
	}
}

func clientReceivesFragments(t *testing.T, x *exchange) {
	tap := newTap(t, x.server.address)
	c := x.open(t, tap.address(), "/fragments")
	expect(t, c, protocol.TextMessage(joined(pieces)))
	finish(t, c)
	expectFragments(t, tap.next(t).server)
}

func clientPings(t *testing.T, x *exchange) {
	c := x.open(t, x.server.address, "/echo")
	if err := c.PingAndWait(tandemPayload); err != nil {
		t.Fatalf("no pong: %v", err)
	}
	if !x.hidden {
		expectPayload(t, x.server.event(t, x.id, "ping"), tandemPayload)
	}
	finish(t, c)
}

func expectPayload(t *testing.T, n notice, want string) {
	t.Helper()
	if n.Payload != want {
		t.Errorf("the peer saw a %s with %q, want %q", n.Event, n.Payload, want)
	}
}

// The server says when its ping was answered.
func clientIsPinged(t *testing.T, x *exchange) {
	c := x.open(t, x.server.address, "/ping")
	expect(t, c, protocol.TextMessage("pong received"))
	finish(t, c)
}

// A pong that nobody asked for does no harm. Where the server does not show it
// the record does.
func clientSendsPong(t *testing.T, x *exchange) {
	tap := newTap(t, x.server.address)
	c := x.open(t, tap.address(), "/echo")
	if err := c.SendPong(heartbeat); err != nil {
		t.Fatal(err)
	}
	if !x.hidden {
		expectPayload(t, x.server.event(t, x.id, "pong"), heartbeat)
	}
	if err := c.Send(protocol.TextMessage(textPayload)); err != nil {
		t.Fatal(err)
	}
	expect(t, c, protocol.TextMessage(textPayload))
	finish(t, c)
	expectPong(t, tap.next(t).client)
}

// A pong of the server's that answers nothing is no message and no fault. The
// record shows that there was one.
func clientReceivesPong(t *testing.T, x *exchange) {
	tap := newTap(t, x.server.address)
	c := x.open(t, tap.address(), "/pong")
	expect(t, c, protocol.TextMessage("pong sent"))
	finish(t, c)
	expectPong(t, tap.next(t).server)
}

// expectPong looks for the heartbeat in what one side has sent.
func expectPong(t *testing.T, sent []byte) {
	t.Helper()
	_, frames, err := split(sent)
	if err != nil {
		t.Fatal(err)
	}
	found := slices.ContainsFunc(frames, func(f frame) bool {
		return f.opcode == 10 && string(f.payload) == heartbeat
	})
	if !found {
		t.Errorf("no pong with %q among %v", heartbeat, frames)
	}
}

func clientCloses(t *testing.T, x *exchange) {
	c := x.open(t, x.server.address, "/echo")
	if err := c.CloseWith(tandemCode, tandemReason); err != nil {
		t.Errorf("Close: %v", err)
	}
	expectClosedByUs(t, c.Err(), tandemCode)
	if x.hidden {
		return
	}
	n := x.server.event(t, x.id, "close")
	if n.Code != int(tandemCode) || n.Reason != tandemReason {
		t.Errorf("the peer saw %d %q, want %d %q", n.Code, n.Reason, tandemCode, tandemReason)
	}
}

// expectClosedByUs checks the end of a connection that we have closed. back is
// the code in the peer's answer, which typically is ours (RFC 6455, section
// 5.5.1).
func expectClosedByUs(t *testing.T, err error, back protocol.CloseCode) {
	t.Helper()
	var closed *protocol.CloseError
	if !errors.As(err, &closed) {
		t.Fatalf("the connection ended with %v, want a CloseError", err)
	}
	if s := closed.Sent; s == nil || s.Code != tandemCode || s.Reason != tandemReason {
		t.Errorf("sent %v, want code %d and reason %q", s, tandemCode, tandemReason)
	}
	if closed.Code() != back || closed.RcvdThenSent || closed.Err != nil {
		t.Errorf("ended with %v; want the code %d back, and after ours", closed, back)
	}
}

func clientIsClosed(t *testing.T, x *exchange) {
	path := fmt.Sprintf("/close?code=%d&reason=%s", peerCode, url.QueryEscape(peerReason))
	c := x.open(t, x.server.address, path)
	if x.server.lines {
		closeWebsocketd(t, c)
		return
	}
	_, err := c.Recv()
	expectClosedByPeer(t, err)
}

// closeWebsocketd has the program end. websocketd then ends TCP and nothing
// else, which is not a normal end.
func closeWebsocketd(t *testing.T, c conn) {
	t.Helper()
	if err := c.Send(protocol.TextMessage("quit")); err != nil {
		t.Fatal(err)
	}
	_, err := c.Recv()
	var closed *protocol.CloseError
	if !errors.As(err, &closed) || closed.Rcvd != nil || !errors.Is(err, io.EOF) {
		t.Errorf("Recv: %v, want a CloseError with no close frame received, and io.EOF", err)
	}
}

// expectClosedByPeer checks the end of a connection that the peer has closed.
func expectClosedByPeer(t *testing.T, err error) {
	t.Helper()
	var closed *protocol.CloseError
	if !errors.As(err, &closed) {
		t.Fatalf("the connection ended with %v, want a CloseError", err)
	}
	if closed.Code() != peerCode || closed.Reason() != peerReason || !closed.RcvdThenSent || closed.Err != nil {
		t.Errorf("ended with %v; want code %d and reason %q from the peer first", closed, peerCode, peerReason)
	}
	if closed.Sent == nil || closed.Sent.Code != peerCode {
		t.Errorf("sent %v, want the peer's code back", closed.Sent)
	}
}
