package peers

import "net"

// raw echoes bytes without framing, with a goroutine and a buffer for each
// connection: the yardstick.
func raw(setup Setup) net.Addr {
	return serve(setup, func(conn net.Conn) {
		defer conn.Close()
		for buf := make([]byte, 64<<10); ; {
			n, err := conn.Read(buf)
			if err != nil {
				return
			}
			if _, err := conn.Write(buf[:n]); err != nil {
				return
			}
		}
	})
}
