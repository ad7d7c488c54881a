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

	"github.com/tandemws/tandem/internal/face"
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
	f, err := face.Named(*name)
	if err != nil {
		log.Fatal(err)
	}
	if err := run(f, *server, *agent, *wait); err != nil {
		log.Fatal(err)
	}
}

// run goes through all cases and has the suite write its report.
func run(f face.Face, server, agent string, wait time.Duration) error {
	cases, err := count(f, server, wait)
	if err != nil {
		return fmt.Errorf("asking for the number of cases: %w", err)
	}
	as := "agent=" + url.QueryEscape(agent)
	var failed error
	for i := 1; i <= cases; i++ {
		if err := echo(f, fmt.Sprintf("%s/runCase?case=%d&%s", server, i, as)); err != nil {
			failed = fmt.Errorf("case %d of %d: %w", i, cases, err)
			log.Print(failed) // the other cases have something to say too
		}
	}
	log.Printf("%s: %d cases done", agent, cases)
	return errors.Join(failed, echo(f, server+"/updateReports?"+as))
}

// count asks for the number of cases, and again while nobody listens: the suite
// takes a while to start, and has no way to tell when it has.
func count(f face.Face, server string, wait time.Duration) (int, error) {
	answer, err := ask(f, server+"/getCaseCount")
	for begun := time.Now(); err != nil && time.Since(begun) < wait; {
		time.Sleep(100 * time.Millisecond)
		answer, err = ask(f, server+"/getCaseCount")
	}
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(answer)
}
