package suite

import (
	"net"
	"os"
)

// plain hides what a connection is: only Read and Write are left to use, as with
// any connection that is not from package net, and with all of them where the
// system has no raw reads and writes for us.
type plain struct{ net.Conn }

// wrapped says to run the suite over such connections (make test-wrapped). Not
// all of it holds then: nobody tells what became of the bytes, so that the
// reason for giving a peer up is not known, and TCP cannot be half-closed.
var wrapped = os.Getenv("TANDEM_TRANSPORT") == "wrapped"

// transport returns the connection that the end under test is given.
func transport(conn net.Conn) net.Conn {
	if wrapped {
		return plain{conn}
	}
	return conn
}
