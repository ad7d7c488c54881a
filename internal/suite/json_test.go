package suite

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tandemws/tandem/protocol"
	wssync "github.com/tandemws/tandem/sync"
)

// TestJSON sends values and receives them, as text or binary messages and in
// fragments.
func TestJSON(t *testing.T) {
	Each(t, func(t *testing.T, s Setting) {
		synctest.Test(t, func(t *testing.T) {
			client, server, _, _ := s.Over(t)
			value := map[string]any{"id": 7.0, "name": "fröhlich <&>", "list": []any{true, nil, strings.Repeat("x", 100000)}}
			ok(t, s.Client.SendJSON(client, value))
			text, err := json.Marshal(value)
			ok(t, err)
			ok(t, client.Send(protocol.BinaryMessage(text), 0))
			w, err := client.SendWriter(protocol.Text)
			ok(t, err)
			for _, piece := range [][]byte{text[:13], text[13:50000], text[50000:]} {
				_, err := w.Write(piece)
				ok(t, err)
			}
			ok(t, w.Close())
			for range 3 {
				got, err := s.Server.RecvJSON(server, 0)
				if err != nil || !reflect.DeepEqual(got, value) {
					t.Errorf("%v, %v", got, err)
				}
			}
			ok(t, s.Client.SendJSON(client, "text"))
			m, err := server.Recv(0)
			if err != nil || m.Type != protocol.Text || m.String() != `"text"` {
				t.Errorf("%v %q, %v", m.Type, m.Data, err)
			}
		})
	})
}

// TestJSONBad receives what is not JSON, or not one value, and goes on.
func TestJSONBad(t *testing.T) {
	Each(t, func(t *testing.T, s Setting) {
		synctest.Test(t, func(t *testing.T) {
			client, server, _, _ := s.Over(t)
			for _, bad := range []string{"", "{", "hello", `{"a":1} {"b":2}`, `[1,2,`, `"\xzz"`, strings.Repeat("[", 100000)} {
				send(t, client, bad)
				send(t, client, `"good"`)
				_, err := s.Server.RecvJSON(server, 0)
				wrong := as[*wssync.JSONError](err)
				if wrong == nil || wrong.Message == nil || wrong.Message.String() != bad || wrong.Err == nil {
					t.Fatalf("%.20q: %v", bad, err)
				}
				if got, err := s.Server.RecvJSON(server, 0); err != nil || got != "good" {
					t.Errorf("behind %.20q: %v, %v", bad, got, err)
				}
			}
			err := s.Client.SendJSON(client, make(chan int))
			if wrong := as[*wssync.JSONError](err); wrong == nil || wrong.Message != nil {
				t.Error(err)
			}
			ok(t, s.Client.SendJSON(client, 1))
			if got, err := s.Server.RecvJSON(server, 0); err != nil || got != 1.0 {
				t.Error(got, err)
			}
		})
	})
}

// TestJSONLeft has RecvJSON run out of time in the middle of a message: the next
// call gets all of it. One that is too big ends the connection as any does.
func TestJSONLeft(t *testing.T) {
	EachEnd(t, func(t *testing.T, e End) {
		synctest.Test(t, func(t *testing.T) {
			e.Options.MaxMessageSize = 100
			conn, raw := e.Against(t)
			raw.Send(t, raw.Frame(protocol.OpText, false, `{"a":`))
			begun := time.Now()
			_, err := e.Face.RecvJSON(conn, time.Second)
			is(t, err, conn.TimeoutError())
			took(t, begun, time.Second)
			raw.Send(t, raw.Frame(protocol.OpContinuation, true, `1}`))
			got, err := e.Face.RecvJSON(conn, time.Second)
			if err != nil || !reflect.DeepEqual(got, map[string]any{"a": 1.0}) {
				t.Errorf("%v, %v", got, err)
			}
			raw.Send(t, raw.Text(`"`+strings.Repeat("x", 99)+`"`))
			_, err = e.Face.RecvJSON(conn, 0)
			if told := closeError(t, err); told.Sent == nil || told.Sent.Code != protocol.MessageTooBig {
				t.Error(err)
			}
		})
	})
}
