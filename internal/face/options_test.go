package face

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"reflect"
	"testing"
	"time"

	"github.com/tandemws/tandem/keepalive"
	"github.com/tandemws/tandem/protocol"
	"github.com/tandemws/tandem/reconnect"
)

// full has no field that is zero.
var full = Options{
	NetConn:      new(net.TCPConn),
	Unix:         "socket",
	Dial:         func(context.Context, string, string) (net.Conn, error) { return nil, nil },
	DialTLS:      func(context.Context, string, string) (net.Conn, error) { return nil, nil },
	Host:         "host",
	Proxy:        func(*http.Request) (*url.URL, error) { return nil, nil },
	ProxyTLS:     new(tls.Config),
	ProxyHeader:  http.Header{"X-Name": {"value"}},
	ProxyDigest:  url.User("user"),
	MaxRedirects: 1,
	Jar:          new(cookiejar.Jar),
	Digest:       url.User("user"),
	TLS:          new(tls.Config),
	Listener:     new(net.TCPListener),
	Listeners:    []net.Listener{new(net.TCPListener)},
	Origins:      []string{"https://origin.test"},
	Select:       func(*http.Request, []string) (string, error) { return "", nil },
	Process:      func(http.ResponseWriter, *http.Request) *http.Request { return nil },
	Respond:      func(*http.Request, int, http.Header) {},
	Fallback:     http.NotFoundHandler(),
	Header:       http.Header{"X-Name": {"value"}},
	Protocol:     []string{"soap"},
	Log:          io.Discard,
	Thread:       new(keepalive.Thread),

	Reconnect:    reconnect.Config{InitialDelay: -1},
	CloseTimeout: time.Second, WriteTimeout: time.Second, OpenTimeout: time.Second,
	Keepalive:      keepalive.Config{Interval: -1},
	Hooks:          new(keepalive.Hooks),
	Enforcement:    keepalive.Enforcement{MinInterval: time.Second},
	MaxMessageSize: 1,
	Extensions:     []Extension{new(protocol.Deflate)},
	Compression:    protocol.Deflate{Disabled: true},
	MaxQueue:       1, MaxQueueBytes: 1,
	MaxFragments: 1, MaxControlFrames: 1,
	MessageTimeout:  time.Second,
	MaxFragmentSize: 1,
	Hold:            time.Second,
	DiscardRequest:  true,

	MaxConnections: 1, MaxPerAddress: 1,
	MaxHeaderBytes: 1, MaxURLBytes: 1,
	FirstMessageTimeout: time.Second,
}

// TestOptions sets one field after the other: each has to get to a client or a
// server. A test whose option was forgotten on the way could not notice.
func TestOptions(t *testing.T) {
	of := reflect.TypeFor[Options]()
	for i := range of.NumField() {
		name, value := of.Field(i).Name, reflect.ValueOf(full).Field(i)
		if value.IsZero() {
			t.Errorf("full has no %s", name)
			continue
		}
		var opts Options
		reflect.ValueOf(&opts).Elem().Field(i).Set(value)
		inClient := changes(syncClient, &opts)
		inServer := changes(syncServer, &opts)
		if !inClient && !inServer {
			t.Errorf("%s gets nowhere", name)
		}
		// A thread is what package async does not have.
		if want := inClient && name != "Thread"; changes(asyncClient, &opts) != want {
			t.Errorf("%s gets to a client of package async: %v, want %v", name, !want, want)
		}
		if changes(asyncServer, &opts) != inServer {
			t.Errorf("%s gets to a server of package async: %v, want %v", name, !inServer, inServer)
		}
	}
}

// changes reports whether a conversion makes something else of the options
// than of none.
func changes[T any](convert func(*Options) T, opts *Options) bool {
	return !reflect.DeepEqual(convert(opts), convert(nil))
}
