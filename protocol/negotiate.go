package protocol

import (
	"errors"
	"fmt"
	"net/http"
)

// rsvOf returns the reserved bits that extensions own.
func rsvOf(extensions []Extension) (bits RSV) {
	for _, ext := range extensions {
		bits |= ext.RSV()
	}
	return bits
}

// errClash: RFC 6455, section 9.1, leaves open how two extensions that use the
// same bit could be combined, so they cannot.
var errClash = errors.New("a reserved bit that another extension uses")

// checkBits reports an extension that cannot be combined with those before it.
func checkBits(ext Extension, before []Extension) error {
	if ext.RSV()&^rsvBits != 0 || ext.RSV()&rsvOf(before) != 0 {
		return errClash
	}
	return nil
}

// offerExtensions adds the header field with what is offered.
func (o *Offer) offerExtensions(header http.Header) error {
	offered := make([]ExtensionHeader, len(o.Extensions))
	for i, f := range o.Extensions {
		offered[i] = ExtensionHeader{f.Name(), f.RequestParams()}
	}
	value, err := FormatExtensions(offered)
	if err == nil && value != "" {
		header[headerExtensions] = []string{value}
	}
	return err
}

// Negotiate returns the extensions that a client and a server with these
// factories would agree on in an opening handshake, for connections without
// one.
func Negotiate(client []ClientExtensionFactory, server []ServerExtensionFactory) (ofClient, ofServer []Extension, err error) {
	offer, acceptor, header := Offer{Extensions: client}, Acceptor{Extensions: server}, http.Header{}
	if err = offer.offerExtensions(header); err != nil {
		return nil, nil, err
	}
	ofServer, value, err := acceptor.acceptExtensions(header)
	if err != nil || value == "" {
		return nil, nil, err
	}
	ofClient, err = offer.checkExtensions(http.Header{headerExtensions: {value}})
	return ofClient, ofServer, err
}

// checkExtensions returns the extensions that the server has accepted. It must
// not have accepted what was not offered (section 4.1, point 5).
func (o *Offer) checkExtensions(response http.Header) (accepted []Extension, err error) {
	list, err := ParseExtensions(HeaderValues(response, headerExtensions))
	if err != nil {
		return nil, err
	}
	for _, header := range list {
		ext, err := o.accepted(header, accepted)
		if err == nil {
			err = checkBits(ext, accepted)
		}
		if err != nil {
			reason := fmt.Sprintf("server uses extension %s: %v", quote(header.Name), err)
			return nil, serverError(reason, ErrExtension)
		}
		accepted = append(accepted, ext)
	}
	return accepted, nil
}

// The reasons for which a client refuses an extension, whatever it is.
var (
	errNotOffered = errors.New("it was not offered")
	errTwice      = errors.New("it is there twice")
)

// accepted makes the extension that the server has accepted.
func (o *Offer) accepted(header ExtensionHeader, before []Extension) (Extension, error) {
	for _, ext := range before {
		if ext.Name() == header.Name {
			return nil, errTwice
		}
	}
	// There may be several offers of the same extension; the server need not
	// say which one it has accepted, so it is one that fits.
	err := errNotOffered
	for _, f := range o.Extensions {
		if f.Name() == header.Name {
			var ext Extension
			if ext, err = f.ProcessResponseParams(header.Params, before); err == nil {
				return ext, nil
			}
		}
	}
	return nil, err
}

// acceptExtensions chooses among what the client offers, in its order, and
// returns the header's value.
func (a *Acceptor) acceptExtensions(request http.Header) (accepted []Extension, value string, err error) {
	offered, err := ParseExtensions(HeaderValues(request, headerExtensions))
	if len(offered) == 0 || err != nil {
		return nil, "", err
	}
	accepted, answer := a.choose(offered)
	value, err = FormatExtensions(answer)
	return accepted, value, err
}

// choose returns the extensions that are used, and what is answered, in the place of
// what was offered. What is not understood is declined (section 9.1).
func (a *Acceptor) choose(offered []ExtensionHeader) (accepted []Extension, answer []ExtensionHeader) {
	answer = offered[:0]
	for _, header := range offered {
		if params, ext := a.accept(header, accepted); ext != nil {
			accepted = append(accepted, ext)
			answer = append(answer, ExtensionHeader{header.Name, params})
		}
	}
	return accepted, answer
}

// accept makes the extension that is offered, nil to decline it: one is used
// once.
func (a *Acceptor) accept(offer ExtensionHeader, before []Extension) ([]Param, Extension) {
	for _, ext := range before {
		if ext.Name() == offer.Name {
			return nil, nil
		}
	}
	for _, f := range a.Extensions {
		if f.Name() != offer.Name {
			continue
		}
		params, ext, err := f.ProcessRequestParams(offer.Params, before)
		if err == nil && ext != nil && checkBits(ext, before) == nil {
			return params, ext
		}
	}
	return nil, nil
}
