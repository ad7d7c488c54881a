package suite

import (
	"errors"
	"math/bits"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/tandemws/tandem/internal/face"
	"github.com/tandemws/tandem/protocol"
)

// reversal is an extension of a third party: it sends the bits of each byte the
// other way round, and marks the messages in which it does with RSV3. It holds
// nothing of a message, so that one value does for all connections.
type reversal struct{}

var errParameter = errors.New("it has no parameters")

func (reversal) Name() string                    { return "x-reversal" }
func (reversal) RSV() protocol.RSV               { return protocol.RSV3 }
func (reversal) Sent(bool)                       {}
func (reversal) RequestParams() []protocol.Param { return nil }

func (r reversal) ProcessResponseParams(params []protocol.Param, _ []protocol.Extension) (protocol.Extension, error) {
	if len(params) > 0 {
		return nil, errParameter
	}
	return r, nil
}

func (r reversal) ProcessRequestParams(params []protocol.Param, _ []protocol.Extension) ([]protocol.Param, protocol.Extension, error) {
	if len(params) > 0 {
		return nil, nil, errParameter
	}
	return nil, r, nil
}

func (reversal) Encode(dst, payload []byte, _ protocol.Fragment) ([]byte, bool, error) {
	return reversed(dst, payload), true, nil
}

func (reversal) Decode(dst, piece []byte, _ bool, room int) ([]byte, error) {
	if len(piece) > room {
		return dst, protocol.ErrMessageTooBig
	}
	return reversed(dst, piece), nil
}

func reversed(dst, payload []byte) []byte {
	for _, b := range payload {
		dst = append(dst, bits.Reverse8(b))
	}
	return dst
}

// TestExtensions echoes messages through an extension of one's own, alone and
// together with compression, and where only one side has it.
func TestExtensions(t *testing.T) {
	own := []face.Extension{reversal{}}
	for name, tt := range map[string]struct {
		client, server []face.Extension
		compression    protocol.Deflate
	}{
		"alone":            {own, own, protocol.Deflate{Disabled: true}},
		"with compression": {own, own, protocol.Deflate{}},
		"client's only":    {own, nil, protocol.Deflate{}},
		"server's only":    {nil, own, protocol.Deflate{}},
	} {
		t.Run(name, func(t *testing.T) {
			Each(t, func(t *testing.T, s Setting) {
				synctest.Test(t, func(t *testing.T) {
					s.ClientOptions.Extensions, s.ServerOptions.Extensions = tt.client, tt.server
					s.ClientOptions.Compression, s.ServerOptions.Compression = tt.compression, tt.compression
					s.ClientOptions.MaxFragmentSize = 10000
					client, server, _, _ := s.Over(t)
					echoed(t, client, server)
				})
			})
		})
	}
}

// misspelt answers an offer with a parameter that cannot be sent.
type misspelt struct{ reversal }

func (m misspelt) ProcessRequestParams([]protocol.Param, []protocol.Extension) ([]protocol.Param, protocol.Extension, error) {
	return []protocol.Param{{Name: "two words"}}, m, nil
}

func only(ext face.Extension) []face.Extension { return []face.Extension{ext} }

// TestExtensionMisspelt: that is the application's fault, as the log says.
func TestExtensionMisspelt(t *testing.T) {
	EachFace(t, func(t *testing.T, face Face) {
		var log Log
		server, network := inNetwork(t, face, Options{Log: &log, Extensions: only(misspelt{})})
		_, err := face.Connect("ws://tandem.test/", &Options{Dial: network.Dial, Extensions: only(reversal{})})
		refusedWith(t, err, http.StatusInternalServerError, "Internal Server Error")
		if text := log.String(); !strings.Contains(text, "level=ERROR") || !strings.Contains(text, "two words") || strings.Contains(text, "panic") {
			t.Errorf("log %s", text)
		}
		ok(t, server.Close())
	})
}

// exploding panics, encoding or decoding, at the message "boom".
type exploding struct{ reversal }

func (exploding) Encode(dst, payload []byte, _ protocol.Fragment) ([]byte, bool, error) {
	return explode(dst, payload), true, nil
}

func (exploding) Decode(dst, piece []byte, _ bool, _ int) ([]byte, error) {
	return explode(dst, piece), nil
}

func explode(dst, payload []byte) []byte {
	if string(payload) == "boom" {
		panic("an extension's")
	}
	return append(dst, payload...)
}

func (e exploding) ProcessResponseParams([]protocol.Param, []protocol.Extension) (protocol.Extension, error) {
	return e, nil
}

func (e exploding) ProcessRequestParams([]protocol.Param, []protocol.Extension) ([]protocol.Param, protocol.Extension, error) {
	return nil, e, nil
}

// TestExtensionPanics: the connection fails with 1011, the log tells where, and
// nothing else of the program comes to harm.
func TestExtensionPanics(t *testing.T) {
	EachEnd(t, func(t *testing.T, e End) {
		for _, sending := range []string{"", "message", "prepared"} {
			synctest.Test(t, func(t *testing.T) {
				var log Log
				e.Options.Extensions, e.Peer, e.Options.Log = only(exploding{}), only(reversal{}), &log
				conn, raw := e.Against(t)
				var err error
				switch sending {
				case "message":
					err = conn.Send(protocol.TextMessage("boom"), 0)
				case "prepared":
					prepared, wrong := e.Face.Prepare(protocol.TextMessage("boom"))
					ok(t, wrong)
					err = prepared.SendTo(conn, 0)
				default:
					boom := raw.Text("boom")
					boom[0] |= 0x10
					raw.Send(t, boom)
					_, err = conn.Recv(0)
				}
				var closed *protocol.CloseError
				if !errors.As(err, &closed) || closed.Sent == nil || closed.Sent.Code != protocol.InternalError {
					t.Errorf("sending %q: %v", sending, err)
				}
				raw.expectFailure(t, protocol.InternalError, "")
				synctest.Wait()
				if text := log.String(); !strings.Contains(text, "an extension's") || !strings.Contains(text, "explode") {
					t.Errorf("log %s", text)
				}
			})
		}
	})
}

// TestExtensionOnTheWire looks at what an extension makes of messages, and has
// the peer send one that it has changed and one that it has not.
func TestExtensionOnTheWire(t *testing.T) {
	EachEnd(t, func(t *testing.T, e End) {
		synctest.Test(t, func(t *testing.T) {
			e.Options.Extensions = []face.Extension{reversal{}}
			e.Peer = []face.Extension{reversal{}}
			conn, raw := e.Against(t)
			ok(t, conn.Send(protocol.TextMessage("ab"), 0))
			ok(t, conn.Flush())
			h, payload, err := raw.Next()
			ok(t, err)
			if h.RSV != protocol.RSV3 || payload != "\x86\x46" {
				t.Errorf("sent %q with bits %v", payload, h.RSV)
			}
			changed := raw.Frame(protocol.OpText, true, "\x86\x46")
			changed[0] |= 0x10
			raw.Send(t, changed, raw.Text("as it is"))
			expect(t, conn, "ab")
			expect(t, conn, "as it is")
			changed[0] |= 0x20 // a bit that belongs to nobody
			raw.Send(t, changed)
			go conn.Recv(0)
			raw.expectFailure(t, protocol.ProtocolError, "reserved bits 011")
		})
	})
}
