package dial

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/url"

	"github.com/tandemws/tandem/protocol"
)

// A journey leads from a URL to a connection: over redirects, and past a
// server that asks for a password first.
type journey struct {
	opts  *Options
	url   *url.URL
	offer protocol.Offer
	req   *http.Request // the next attempt's
	kept  net.Conn      // a connection that was given, and can take another request

	user      *url.Userinfo // for Digest; nil: none, or not for this server
	digest    *digest       // answers the server's challenge; nil: there was none
	redirects int           // how many were followed
}

// prepare makes the request of the next attempt.
func (j *journey) prepare() error {
	req, err := j.offer.Request(j.url)
	if err != nil {
		return err
	}
	if j.opts.Jar != nil {
		addCookies(req, j.opts.Jar)
	}
	if j.digest != nil {
		req.Header["Authorization"] = []string{j.digest.authorization(req.Method, req.URL.RequestURI())}
	}
	j.req = req
	return nil
}

// run makes attempts until one succeeds, or fails for good.
func (j *journey) run(ctx context.Context) (*Result, error) {
	for {
		result, err := j.attempt(ctx)
		if err == nil {
			j.remember(result.Response)
			return result, nil
		}
		if err := j.retry(err); err != nil {
			return nil, err
		}
	}
}

// attempt connects and performs the opening handshake.
func (j *journey) attempt(ctx context.Context) (*Result, error) {
	conn, early, err := j.transport(ctx)
	if err != nil {
		return nil, err
	}
	result, again, err := handshake(ctx, conn, early, j.req, &j.offer)
	switch {
	case err == nil:
	case again && j.opts.NetConn != nil:
		j.kept = conn
	default:
		conn.Close()
	}
	return result, err
}

// transport connects to the server of the request, or goes on with the
// connection that there is.
func (j *journey) transport(ctx context.Context) (conn net.Conn, early []byte, err error) {
	if conn, j.kept = j.kept, nil; conn != nil {
		return conn, nil, nil
	}
	return transport(ctx, j.req, j.opts)
}

// retry prepares another attempt if that is what the server's answer asks for,
// and returns the error otherwise.
func (j *journey) retry(err error) error {
	var refused *protocol.InvalidStatusError
	if !errors.As(err, &refused) {
		return err
	}
	j.remember(refused.Response)
	switch {
	case isRedirect(refused.Response) && j.maxRedirects() > 0:
		return j.follow(refused)
	case refused.Response.StatusCode == http.StatusUnauthorized && j.answer(refused.Response):
		return j.prepare()
	}
	return err
}

// answer takes up a challenge of the server's, unless the password was of no
// use before.
func (j *journey) answer(resp *http.Response) bool {
	if j.user == nil || j.opts.NetConn != nil && j.kept == nil {
		return false
	}
	d := newDigest(j.user, resp.Header.Values("WWW-Authenticate"), j.digest)
	if d == nil {
		return false
	}
	j.digest = d
	return true
}

// remember puts the cookies of an answer into the jar.
func (j *journey) remember(resp *http.Response) {
	if cookies := resp.Cookies(); j.opts.Jar != nil && len(cookies) > 0 {
		j.opts.Jar.SetCookies(j.req.URL, cookies)
	}
}
