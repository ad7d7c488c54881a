package link

import (
	"fmt"
	"io"
	"runtime"
	"testing"
	"testing/synctest"
	"time"
	"unsafe"
	"weak"

	"github.com/tandemws/tandem/protocol"
)

// TestNothingRetained receives a message of each size in each way, as it comes or
// when the attendant has looked at it. When the application has done with it nothing
// refers to its memory any more, although the connection waits for the next one.
func TestNothingRetained(t *testing.T) {
	for name, receive := range waysToReceive {
		for _, size := range []int{10, 5000, 60000, 300000} {
			for _, after := range []time.Duration{time.Millisecond, time.Second} {
				t.Run(fmt.Sprintf("%s/%d bytes/after %v", name, size, after), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						c, peer := open(t, Options{})
						go func() { // ends with the message
							time.Sleep(time.Second - time.Millisecond)
							peer.Write(clientFrame(protocol.OpBinary, make([]byte, size)))
						}()
						time.Sleep(after)
						at := receiveWeakly(t, c, receive, size)
						go receive(c) // ends with the connection
						for _, state := range []string{"with its desk", "without"} {
							synctest.Wait()
							if runtime.GC(); at.Value() != nil {
								t.Errorf("a connection %s has them yet", state)
							}
							time.Sleep(time.Second)
						}
					})
				})
			}
		}
	}
}

var waysToReceive = map[string]func(*Conn) []byte{
	"Receive":       func(c *Conn) []byte { m, _ := c.Receive(nil); return m.Data },
	"ReceiveAppend": func(c *Conn) []byte { _, data, _ := c.ReceiveAppend(nil, make([]byte, 0, 100)); return data },
	"with room":     func(c *Conn) []byte { _, data, _ := c.ReceiveAppend(nil, make([]byte, 0, 400<<10)); return data },
	"ReceiveReader": func(c *Conn) (data []byte) {
		if _, r, err := c.ReceiveReader(nil); err == nil {
			data, _ = io.ReadAll(r)
		}
		return data
	},
}

// receiveWeakly returns where the message was.
//
//go:noinline
func receiveWeakly(t *testing.T, c *Conn, receive func(*Conn) []byte, size int) weak.Pointer[byte] {
	data := receive(c)
	if len(data) != size {
		t.Errorf("%d bytes, want %d", len(data), size)
	}
	return weak.Make(unsafe.SliceData(data))
}
