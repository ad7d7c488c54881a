// Command client is what the Autobahn Testsuite tests as a client: it asks the
// suite's server how many cases there are, connects once for each, and echoes
// every message, whole, with a connection of either face.
//
//	go run ./testdata/autobahn/client -face sync -url ws://localhost:9001
package main

import (
	"errors"
	"flag"
	"fmt"
	"log"
	"net/url"
	"strconv"
	"time"
)

func main() {
	name := flag.String("face", "sync", "the face to connect with: sync or async")
	server := flag.String("url", "ws://localhost:9001", "where the suite's server is")
	agent := flag.String("agent", "", `what the report calls us (default "tandem-" and the face)`)
	wait := flag.Duration("wait", 0, "how long the suite's server may take to listen")
	flag.Parse()
	if *agent == "" {
		*agent = "tandem-" + *name
	}
	face, err := faceOf(*name)
	if err != nil {
		log.Fatal(err)
	}
	if err := run(face, *server, *agent, *wait); err != nil {
		log.Fatal(err)
	}
}

// A face is a package that connections are made with. Both functions connect
// to a URL: ask returns the one message that comes from there, echo sends all
// messages back until the connection ends.
type face struct {
	ask  func(url string) (string, error)
	echo func(url string) error
}

func faceOf(name string) (face, error) {
	switch name {
	case "sync":
		return face{askSync, echoSync}, nil
	case "async":
		return face{askAsync, echoAsync}, nil
	}
	return face{}, fmt.Errorf("%w: -face %q", errors.ErrUnsupported, name)
}

// run goes through all cases and has the suite write its report.
func run(face face, server, agent string, wait time.Duration) error {
	cases, err := count(face, server, wait)
	if err != nil {
		return fmt.Errorf("asking for the number of cases: %w", err)
	}
	as := "agent=" + url.QueryEscape(agent)
	for i := 1; i <= cases; i++ {
		if err := face.echo(fmt.Sprintf("%s/runCase?case=%d&%s", server, i, as)); err != nil {
			return fmt.Errorf("case %d of %d: %w", i, cases, err)
		}
	}
	log.Printf("%s: %d cases done", agent, cases)
	return face.echo(server + "/updateReports?" + as)
}

// count asks for the number of cases, and again while nobody listens: the suite
// takes a while to start, and has no way to tell when it has.
func count(face face, server string, wait time.Duration) (int, error) {
	answer, err := face.ask(server + "/getCaseCount")
	for begun := time.Now(); err != nil && time.Since(begun) < wait; {
		time.Sleep(100 * time.Millisecond)
		answer, err = face.ask(server + "/getCaseCount")
	}
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(answer)
}
