package suite

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tandemws/tandem/protocol"
	wssync "github.com/tandemws/tandem/sync"
	"golang.org/x/net/nettest"
)

// TestNetConn runs the tests that the Go project has for implementations of
// net.Conn, over memory and in real time.
func TestNetConn(t *testing.T) {
	Each(t, func(t *testing.T, s Setting) {
		nettest.TestConn(t, func() (c1, c2 net.Conn, stop func(), err error) {
			client, server, _, _ := s.Over(t)
			stop = func() { // in good order: a test may have left one that is closing
				var both sync.WaitGroup
				both.Go(func() { client.Close() })
				both.Go(func() { server.Close() })
				both.Wait()
			}
			return s.Client.NetConn(client, protocol.Binary), s.Server.NetConn(server, protocol.Binary), stop, nil
		})
	})
}

// streams returns both ends of a stream of bytes in virtual time.
func (s Setting) streams(t *testing.T) (client, server Conn, a, b net.Conn) {
	t.Helper()
	client, server, _, _ = s.Over(t)
	return client, server, s.Client.NetConn(client, protocol.Binary), s.Server.NetConn(server, protocol.Binary)
}

// TestNetConnStream copies more than the network holds both ways at once, in
// pieces of all sizes; a normal close is the end of the stream.
func TestNetConnStream(t *testing.T) {
	Each(t, func(t *testing.T, s Setting) {
		synctest.Test(t, func(t *testing.T) {
			client, server, a, b := s.streams(t)
			want := bytes.Repeat(pattern(1000), 1000)
			var both sync.WaitGroup
			for _, end := range []net.Conn{a, b} {
				both.Go(func() {
					got := make([]byte, len(want))
					_, err := io.ReadFull(end, got)
					if err != nil || !bytes.Equal(got, want) {
						t.Errorf("%v, equal: %t", err, bytes.Equal(got, want))
					}
				})
				both.Go(func() {
					for at, n := 0, 1; at < len(want); n = n*3 + 1 {
						piece := want[at:min(at+n, len(want))]
						if k, err := end.Write(piece); err != nil || k != len(piece) {
							t.Error(k, err)
							return
						}
						at += len(piece)
					}
				})
			}
			both.Wait()
			ok(t, server.Send(protocol.BinaryMessage(nil), 0)) // an empty message is nothing in a stream
			ok(t, server.Send(protocol.BinaryMessage([]byte("last")), 0))
			go server.Close()
			rest, err := io.ReadAll(a)
			if err != nil || string(rest) != "last" {
				t.Errorf("%q, %v", rest, err)
			}
			_, err = a.Write([]byte("x"))
			is(t, err, net.ErrClosed)
			<-client.Done()
		})
	})
}

// TestNetConnDeadlines: a Read that times out loses nothing, and a deadline that
// is changed counts for calls that wait.
func TestNetConnDeadlines(t *testing.T) {
	Each(t, func(t *testing.T, s Setting) {
		synctest.Test(t, func(t *testing.T) {
			client, server, a, b := s.streams(t)
			begun := time.Now()
			buf := make([]byte, 100)
			ok(t, a.SetReadDeadline(begun.Add(time.Second)))
			_, err := a.Read(buf)
			is(t, err, os.ErrDeadlineExceeded)
			var ne net.Error
			if !errors.As(err, &ne) || !ne.Timeout() {
				t.Errorf("%v is no timeout", err)
			}
			took(t, begun, time.Second)
			_, err = a.Read(buf)
			is(t, err, os.ErrDeadlineExceeded)
			_, err = b.Write([]byte("late"))
			ok(t, err)
			ok(t, a.SetReadDeadline(time.Time{}))
			n, err := a.Read(buf[:2])
			if err != nil || string(buf[:n]) != "la" {
				t.Fatalf("%q, %v", buf[:n], err)
			}
			ok(t, a.SetReadDeadline(time.Now().Add(-1)))
			_, err = a.Read(buf)
			is(t, err, os.ErrDeadlineExceeded)
			ok(t, a.SetReadDeadline(time.Now().Add(time.Hour)))
			n, err = a.Read(buf)
			if err != nil || string(buf[:n]) != "te" {
				t.Fatalf("%q, %v", buf[:n], err)
			}
			time.AfterFunc(2*time.Second, func() { a.SetReadDeadline(time.Now().Add(3 * time.Second)) })
			begun = time.Now()
			_, err = a.Read(buf) // its deadline comes nearer
			is(t, err, os.ErrDeadlineExceeded)
			took(t, begun, 5*time.Second)
			if client.State() != protocol.Open || server.State() != protocol.Open {
				t.Error("a deadline has ended the connection")
			}
			ok(t, a.SetDeadline(time.Time{}))
		})
	})
}

// TestNetConnWriteDeadline has Writes time out while the peer does not read, at
// all kinds of moments: what they say they have sent arrives, nothing else, and
// the connection goes on, with TLS too.
func TestNetConnWriteDeadline(t *testing.T) {
	for _, secure := range []bool{false, true} {
		t.Run(fmt.Sprintf("TLS=%t", secure), func(t *testing.T) {
			Each(t, func(t *testing.T, s Setting) {
				synctest.Test(t, func(t *testing.T) {
					s.ClientOptions.MaxQueue, s.ServerOptions.MaxQueue = 1, 1
					s = s.Plain()
					if secure {
						s.ServerOptions.TLS, s.ClientOptions.TLS = Certificate(t)
					}
					writesInTime(t, s)
				})
			})
		})
	}
}

func writesInTime(t *testing.T, s Setting) {
	t.Helper()
	client, _, a, b := s.streams(t)
	var want []byte
	for i := range 10 {
		ok(t, a.SetWriteDeadline(time.Now().Add(time.Second)))
		piece := bytes.Repeat([]byte{byte('a' + i)}, 50000+1111*i)
		n, err := a.Write(piece)
		want = append(want, piece[:n]...)
		if err != nil {
			is(t, err, os.ErrDeadlineExceeded)
		} else if n != len(piece) || i > 6 {
			t.Errorf("%d bytes were sent of piece %d, %v", n, i, err)
		}
	}
	if client.State() != protocol.Open {
		t.Fatal(client.Err())
	}
	go func() { // ends with the stream
		a.SetWriteDeadline(time.Time{})
		a.Write([]byte("end"))
		a.Close()
	}()
	got, err := io.ReadAll(b)
	if want = append(want, "end"...); err != nil || !bytes.Equal(got, want) {
		t.Errorf("%d bytes came, %d were sent: %v", len(got), len(want), err)
	}
}

// TestNetConnTypes: a message of the other type is an error, and is skipped.
func TestNetConnTypes(t *testing.T) {
	Each(t, func(t *testing.T, s Setting) {
		synctest.Test(t, func(t *testing.T) {
			_, server, a, b := s.streams(t)
			for _, text := range []string{"one", "two"} {
				ok(t, server.Send(protocol.TextMessage(text), 0))
				ok(t, server.Send(protocol.BinaryMessage([]byte(text)), 0))
				buf := make([]byte, 10)
				_, err := a.Read(buf)
				if wrong := as[*wssync.MessageTypeError](err); wrong == nil || wrong.Got != protocol.Text || wrong.Want != protocol.Binary {
					t.Errorf("%v", err)
				}
				n, err := a.Read(buf)
				if err != nil || string(buf[:n]) != text {
					t.Errorf("%q, %v", buf[:n], err)
				}
			}
			texts := s.Server.NetConn(server, protocol.Text)
			_, err := texts.Write([]byte("\xff"))
			is(t, err, protocol.ErrInvalidText)
			if n, err := b.Write(nil); n != 0 || err != nil {
				t.Error(n, err)
			}
			if a.LocalAddr() == nil || a.RemoteAddr() == nil {
				t.Error("no addresses")
			}
		})
	})
}

// TestNetConnText: a text that is larger than one message is divided between two
// characters, wherever they lie.
func TestNetConnText(t *testing.T) {
	Each(t, func(t *testing.T, s Setting) {
		synctest.Test(t, func(t *testing.T) {
			client, server, _, _ := s.Over(t)
			out, in := s.Client.NetConn(client, protocol.Text), s.Server.NetConn(server, protocol.Text)
			for before := range 5 {
				want := strings.Repeat("x", before) + strings.Repeat("é€𝄞", 10000)
				go func() { // ends with the text
					n, err := io.WriteString(out, want)
					if n != len(want) || err != nil {
						t.Errorf("%d bytes of %d were sent: %v", n, len(want), err)
						client.CloseNow()
					}
				}()
				got := make([]byte, len(want))
				_, err := io.ReadFull(in, got)
				if err != nil || string(got) != want {
					t.Fatalf("%v, equal: %t", err, string(got) == want)
				}
			}
			bad := strings.Repeat("x", 40000) + "\xc3"
			if n, err := io.WriteString(out, bad); n > len(bad)-1 || !errors.Is(err, protocol.ErrInvalidText) {
				t.Errorf("%d bytes of a text that is none were sent: %v", n, err)
			}
		})
	})
}

// TestNetConnBeside: a message that the connection's own method receives is
// missing in the stream, and so is the rest of the one that is being read.
func TestNetConnBeside(t *testing.T) {
	Each(t, func(t *testing.T, s Setting) {
		synctest.Test(t, func(t *testing.T) {
			client, server, a, _ := s.streams(t)
			for _, text := range []string{"first", "second", "third"} {
				ok(t, server.Send(protocol.BinaryMessage([]byte(text)), 0))
			}
			buf := make([]byte, 10)
			n, err := a.Read(buf[:2])
			if err != nil || string(buf[:n]) != "fi" {
				t.Fatalf("%q, %v", buf[:n], err)
			}
			m, err := client.Recv(0)
			if err != nil || string(m.Data) != "second" {
				t.Fatalf("%q, %v", m.Data, err)
			}
			n, err = a.Read(buf)
			if err != nil || string(buf[:n]) != "third" {
				t.Fatalf("%q, %v", buf[:n], err)
			}
		})
	})
}

// TestNetConnEnded: what came before the peer's close is read as ever, deadlines
// included.
func TestNetConnEnded(t *testing.T) {
	Each(t, func(t *testing.T, s Setting) {
		synctest.Test(t, func(t *testing.T) {
			client, server, a, _ := s.streams(t)
			ok(t, server.Send(protocol.BinaryMessage([]byte("last")), 0))
			ok(t, server.Close())
			<-client.Done()
			ok(t, a.SetDeadline(time.Now().Add(time.Minute)))
			ok(t, a.SetReadDeadline(time.Now().Add(time.Minute)))
			buf := make([]byte, 10)
			n, err := a.Read(buf)
			if err != nil || string(buf[:n]) != "last" {
				t.Errorf("%q, %v", buf[:n], err)
			}
			_, err = a.Read(buf)
			is(t, err, io.EOF)
			ok(t, a.Close())
			is(t, a.SetWriteDeadline(time.Time{}), net.ErrClosed)
		})
	})
}

// TestNetConnEnds: Close unblocks calls, and an end that is not normal is not
// the end of the stream.
func TestNetConnEnds(t *testing.T) {
	Each(t, func(t *testing.T, s Setting) {
		synctest.Test(t, func(t *testing.T) {
			_, _, a, b := s.streams(t)
			reading := make(chan error)
			go func() {
				_, err := a.Read(make([]byte, 1))
				reading <- err
			}()
			synctest.Wait()
			ok(t, a.Close())
			is(t, <-reading, net.ErrClosed)
			_, err := b.Read(make([]byte, 1))
			is(t, err, io.EOF)
			is(t, a.SetDeadline(time.Now()), net.ErrClosed)
			for _, p := range [][]byte{nil, {0}} { // and not that the deadline has passed
				_, err = a.Read(p)
				is(t, err, net.ErrClosed)
				_, err = a.Write(p)
				is(t, err, net.ErrClosed)
			}

			_, server, a, _ := s.streams(t)
			go server.CloseWith(4000, "not normal")
			_, err = a.Read(make([]byte, 1))
			if told := closeError(t, err); told.Rcvd == nil || told.Rcvd.Code != 4000 {
				t.Error(err)
			}
			_, server, a, _ = s.streams(t)
			server.CloseNow()
			_, err = a.Read(make([]byte, 1))
			closeError(t, err)
		})
	})
}
