// Command server is what the Autobahn Testsuite tests as a server: it echoes
// every message, whole, with a connection of either face.
//
//	go run ./testdata/autobahn/server -face sync -addr :9001
package main

import (
	"flag"
	"log"

	"github.com/tandemws/tandem/internal/face"
)

func main() {
	name := flag.String("face", "sync", "the face to serve with: sync or async")
	addr := flag.String("addr", ":9001", "where to listen")
	flag.Parse()
	f, err := face.Named(*name)
	if err != nil {
		log.Fatal(err)
	}
	if err := serve(f, *addr); err != nil {
		log.Fatal(err)
	}
}
