package main

import (
	"crypto/tls"
	"errors"
	"flag"
	"net/http"
	"strings"

	wsasync "github.com/tandemws/tandem/async"
)

// opening has the flags of commands that open a connection.
type opening struct {
	header       headerFlag
	subprotocols listFlag
	origin       string
	insecure     bool
}

func (o *opening) register(flags *flag.FlagSet) {
	flags.Var(&o.header, "header", "add a `\"NAME: VALUE\"` to the opening handshake; can be repeated")
	flags.Var(&o.subprotocols, "subprotocol", "offer a subprotocol's `NAME`; can be repeated, the best one first")
	flags.StringVar(&o.origin, "origin", "", "send this `ORIGIN`, as a browser does")
	flags.BoolVar(&o.insecure, "tls-insecure", false, "do not verify the server's certificate")
}

// options returns the settings that the flags are for.
func (o *opening) options() *wsasync.ClientOptions {
	opts := &wsasync.ClientOptions{
		Header:       http.Header(o.header).Clone(),
		Subprotocols: o.subprotocols,
	}
	if o.origin != "" {
		if opts.Header == nil {
			opts.Header = make(http.Header)
		}
		opts.Header.Set("Origin", o.origin)
	}
	if o.insecure {
		opts.TLSConfig = &tls.Config{InsecureSkipVerify: true}
	}
	return opts
}

// A headerFlag collects header fields.
type headerFlag http.Header

func (h *headerFlag) String() string { return "" }

// Set adds the field in s. Whether it is a good one the opening handshake
// checks.
func (h *headerFlag) Set(s string) error {
	name, value, ok := strings.Cut(s, ":")
	if !ok {
		return errors.New(`not of the form "NAME: VALUE"`)
	}
	if *h == nil {
		*h = make(headerFlag)
	}
	http.Header(*h).Add(strings.TrimSpace(name), strings.TrimSpace(value))
	return nil
}

// A listFlag collects values.
type listFlag []string

func (l *listFlag) String() string { return "" }

func (l *listFlag) Set(s string) error {
	*l = append(*l, s)
	return nil
}
