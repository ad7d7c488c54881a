package link

import (
	"context"
	"net/http"
)

// An Opening is what stays of an opening handshake. A connection has a pointer to
// it, nil if there is nothing to remember.
type Opening struct {
	Subprotocol string         // that was agreed on; "": none
	Response    *http.Response // and its request; nil if they were let go of

	// Context has the values of a connection's context and never ends; nil: they are
	// those of Options.Context, and the address.
	Context context.Context

	// Of a server's.
	Path     string // of the request's URL
	Values   *PathValue
	Username string // that was checked; "": none was
}

// A PathValue is the value of a wildcard in the http.ServeMux pattern that the
// request matched.
type PathValue struct {
	Name, Value string
	Next        *PathValue
}

// Keep returns o for a connection to keep.
func (o Opening) Keep() *Opening {
	if o == usual {
		return nil
	}
	kept := o // so that nothing is allocated else
	return &kept
}

// usual is what most connections would have to remember, and do not.
var usual = Opening{Path: "/"}

// Get returns what a connection has kept.
func (o *Opening) Get() Opening {
	if o == nil {
		return usual
	}
	return *o
}

// Request returns the request, nil if it was let go of.
func (o *Opening) Request() *http.Request {
	if o == nil || o.Response == nil {
		return nil
	}
	return o.Response.Request
}

// PathValue returns the value of the named wildcard, "" if there is none.
func (o *Opening) PathValue(name string) string {
	for v := o.Get().Values; v != nil; v = v.Next {
		if v.Name == name {
			return v.Value
		}
	}
	return ""
}
