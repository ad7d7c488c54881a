// Command server is what the Autobahn Testsuite tests as a server: it echoes
// every message, whole, with a connection of either face.
//
//	go run ./testdata/autobahn/server -face sync -addr :9001
package main

import (
	"errors"
	"flag"
	"fmt"
	"log"
)

func main() {
	face := flag.String("face", "sync", "the face to serve with: sync or async")
	addr := flag.String("addr", ":9001", "where to listen")
	flag.Parse()
	if err := serve(*face, *addr); err != nil {
		log.Fatal(err)
	}
}

// serve serves until a listener fails.
func serve(face, addr string) error {
	switch face {
	case "sync":
		return serveSync(addr)
	case "async":
		return serveAsync(addr)
	}
	return fmt.Errorf("%w: -face %q", errors.ErrUnsupported, face)
}
