package main

import (
	"context"
	"crypto/tls"
	"errors"
	"flag"
	"fmt"
	"log"
	"net"

	wsasync "github.com/tandemws/tandem/async"
	wssync "github.com/tandemws/tandem/sync"
)

func serveCommand() *command {
	return &command{
		name:     "serve",
		operands: []string{"ADDR"},
		summary:  "run an echo server",
		text: `
Listens on ADDR, which is HOST:PORT (port 0 for any) or unix:PATH, sends each
message back, and logs connections that open and close. Ctrl-C closes all
connections with code 1001 (going away).

Exit status: 0 after Ctrl-C or SIGTERM, 1 when the server could not listen or
failed, 2 for a wrong command line.`,
		setup: func(flags *flag.FlagSet) action {
			var s echoServer
			flags.BoolVar(&s.sync, "sync", false, "serve with package sync; the default")
			flags.BoolVar(&s.async, "async", false, "serve with package async")
			flags.StringVar(&s.cert, "tls-cert", "", "serve wss with the certificate in this PEM `FILE`")
			flags.StringVar(&s.key, "tls-key", "", "and the key in this `FILE`")
			return s.run
		},
	}
}

// An echoServer is what the command serves.
type echoServer struct {
	sync, async bool
	cert, key   string // files; "": no TLS
	tls         *tls.Config
	log         *log.Logger
}

// A runningServer is the server of either face.
type runningServer interface {
	Addr() net.Addr
	Done() <-chan struct{}
	Wait() error
	Close() error
}

// run runs the command. The log goes to standard output, for there is nothing
// else to see of a server.
func (s *echoServer) run(ctx context.Context, operands []string, std stdio) (status int) {
	s.log = log.New(std.out, "", log.LstdFlags)
	if err := s.check(); err != nil {
		fmt.Fprintf(std.err, "tandem serve: %s\n", escape(err.Error()))
		return statusUsage
	}
	if err := s.serve(ctx, operands[0]); err != nil {
		fmt.Fprintf(std.err, "tandem serve: %s\n", escape(err.Error()))
		return statusFailed
	}
	return statusOK
}

// check checks the flags.
func (s *echoServer) check() error {
	switch {
	case s.sync && s.async:
		return errors.New("--sync and --async exclude each other")
	case (s.cert == "") != (s.key == ""):
		return errors.New("--tls-cert and --tls-key need each other")
	}
	return nil
}

// serve serves until ctx ends.
func (s *echoServer) serve(ctx context.Context, addr string) error {
	if err := s.loadCertificate(); err != nil {
		return err
	}
	server, err := s.start(addr)
	if err != nil {
		return err
	}
	s.log.Printf("listening on %s", s.url(server.Addr()))
	select {
	case <-ctx.Done():
		s.log.Print("shutting down")
		return server.Close()
	case <-server.Done():
		return server.Wait()
	}
}

// loadCertificate has the server speak TLS if the flags ask for it.
func (s *echoServer) loadCertificate() error {
	if s.cert == "" {
		return nil
	}
	cert, err := tls.LoadX509KeyPair(s.cert, s.key)
	if err != nil {
		return err
	}
	s.tls = &tls.Config{Certificates: []tls.Certificate{cert}}
	return nil
}

// start starts the server. The context does not end the async one, so that
// both end in the same way, by Close.
func (s *echoServer) start(addr string) (runningServer, error) {
	if s.async {
		opts := &wsasync.ServerOptions{TLSConfig: s.tls, DiscardRequest: true}
		return wsasync.Serve(context.Background(), s.serveAsync, addr, opts)
	}
	opts := &wssync.ServerOptions{TLSConfig: s.tls, DiscardRequest: true}
	return wssync.Serve(s.serveSync, addr, opts)
}

// url returns what to connect to. On an address of all interfaces that is the
// address of one of them, which is for the user to choose.
func (s *echoServer) url(addr net.Addr) string {
	scheme := "ws://"
	if s.tls != nil {
		scheme = "wss://"
	}
	if addr.Network() == "unix" {
		return addr.String()
	}
	return scheme + addr.String() + "/"
}

// serveSync serves a connection of package sync. The end is logged here and not
// by the library, which is silent about what happens normally.
func (s *echoServer) serveSync(conn *wssync.ServerConn) error {
	s.logOpened(conn)
	err := echoSync(conn)
	s.finish(conn)
	return err
}

// echoSync sends each message back until the connection ends. An error tells
// only how it did.
func echoSync(conn *wssync.ServerConn) error {
	for m, err := range conn.Messages() {
		if err == nil {
			err = conn.Send(m)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// serveAsync is serveSync for a connection of package async.
func (s *echoServer) serveAsync(ctx context.Context, conn *wsasync.ServerConn) error {
	s.logOpened(conn)
	err := echoAsync(ctx, conn)
	s.finish(conn)
	return err
}

// echoAsync is echoSync with a context, which ends with the connection.
func echoAsync(ctx context.Context, conn *wsasync.ServerConn) error {
	for m, err := range conn.Messages(ctx) {
		if err == nil {
			err = conn.Send(ctx, m)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// A servedConn is the server's connection of either face.
type servedConn interface {
	RemoteAddr() net.Addr
	Path() string
	Close() error
	Err() error
}

// logOpened logs a new connection. The path is the client's choice, so it is
// escaped; an address is not.
func (s *echoServer) logOpened(conn servedConn) {
	s.log.Printf("%v opened %s", conn.RemoteAddr(), escape(conn.Path()))
}

// finish waits for the end of a connection that is ending, and logs it.
func (s *echoServer) finish(conn servedConn) {
	conn.Close()
	s.log.Printf("%v %s", conn.RemoteAddr(), describeEnd(conn.Err()))
}
