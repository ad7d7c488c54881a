package serve

import (
	"context"
	"net"
	"net/http"
	"sync"

	"github.com/tandemws/tandem/internal/link"
	"github.com/tandemws/tandem/keepalive"
	"github.com/tandemws/tandem/protocol"
)

// Upgraded is a connection whose opening handshake is over. It is borrowed until
// the connection is made: on the stack it would be the last straw, for which the
// goroutine of net/http got a larger one.
type Upgraded struct {
	Conn           net.Conn
	Early          []byte // what the client sent behind its request; to be copied
	Request        *http.Request
	Header         http.Header // of the response; nil if nobody wants to see it
	Agreement      protocol.Agreement
	Options        *link.Options
	Hooks          *keepalive.Hooks
	DiscardRequest bool // keep neither request nor response
	Plain          bool // nobody can have added to the values of the request's context

	answer []byte // the response as it goes over the wire
	room   [usualResponse]byte
}

// usualResponse is a size in bytes that suffices for most responses.
const usualResponse = 384

var upgraded = sync.Pool{New: func() any { return new(Upgraded) }}

func borrowUpgraded() *Upgraded {
	up := upgraded.Get().(*Upgraded)
	up.answer = up.room[:0]
	return up
}

// giveBack lets go of everything.
func (up *Upgraded) giveBack() {
	*up = Upgraded{}
	upgraded.Put(up)
}

// context returns the values of the request's context, without its end. It is nil if
// they are those of the options', and the address: a connection that lets go of the
// request need not keep what net/http has made for it.
func (up *Upgraded) context() context.Context {
	if up.Plain && up.DiscardRequest {
		return nil
	}
	return context.WithoutCancel(up.Request.Context())
}

// response returns the response of the opening handshake, and its request for the
// connection to keep: net/http ends its context when it is answered, and whoever
// made another one of it would find that one ended too.
func (up *Upgraded) response() *http.Response {
	return &http.Response{
		Status:     "101 Switching Protocols",
		StatusCode: http.StatusSwitchingProtocols,
		Proto:      "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header:  up.Header,
		Body:    http.NoBody,
		Request: up.Request.WithContext(context.WithoutCancel(up.Request.Context())),
	}
}
