package protocol

import "errors"

var (
	errDisabled    = errors.New("it is turned off")
	errWiderWindow = errors.New("a window larger than the one that was offered")
	errTakeover    = errors.New("no server_no_context_takeover, which was demanded")
)

// RequestParams returns what a client offers (RFC 7692, section 7.1).
func (d *Deflate) RequestParams() []Param {
	return d.settled().offer().list()
}

func (d *Deflate) offer() deflateParams {
	p := deflateParams{
		serverNoTakeover: d.ServerNoContextTakeover,
		clientNoTakeover: d.ClientNoContextTakeover,
		serverBits:       max(d.ServerMaxWindowBits, 0),
		clientBits:       d.ClientMaxWindowBits,
	}
	if p.clientBits < 0 {
		p.clientBits = anyBits
	}
	return p
}

// ProcessResponseParams makes the extension as the server has accepted it.
//
// A server that says nothing about the window that we asked for has not agreed
// to a smaller one (section 7.1.2.1); as we can do with any, that is no reason
// to give up the connection. What we say of our own window is a hint, which a
// server may ignore and answer with a larger one (section 7.1.2.2): it is the
// most that we may use, and we use no more than we said.
func (d *Deflate) ProcessResponseParams(params []Param, _ []Extension) (Extension, error) {
	d = d.settled()
	got, err := parseDeflateParams(params, false)
	offer := d.offer()
	switch {
	case err != nil:
		return nil, err
	case offer.serverNoTakeover && !got.serverNoTakeover:
		return nil, errTakeover
	case offer.serverBits > 0 && got.serverBits > offer.serverBits:
		return nil, errWiderWindow
	}
	return &deflate{
		settings: d,
		in:       direction{uint8(orMax(got.serverBits)), !got.serverNoTakeover},
		out:      direction{uint8(smaller(offer.clientBits, got.clientBits)), !got.clientNoTakeover && !offer.clientNoTakeover},
	}, nil
}

// ProcessRequestParams accepts a client's offer if it can be met (section 7.1).
func (d *Deflate) ProcessRequestParams(params []Param, _ []Extension) ([]Param, Extension, error) {
	d = d.settled()
	if d.Disabled {
		return nil, nil, errDisabled
	}
	got, err := parseDeflateParams(params, true)
	if err != nil {
		return nil, nil, err
	}
	answer := d.answer(got)
	return answer.list(), &deflate{
		settings: d,
		in:       direction{uint8(orMax(answer.clientBits)), !answer.clientNoTakeover},
		out:      direction{uint8(orMax(answer.serverBits)), !answer.serverNoTakeover},
	}, nil
}

// answer combines what the client offers with our own settings. A window for
// the client can be named only if it offers to keep to it (section 7.1.2.2).
func (d *Deflate) answer(got deflateParams) (answer deflateParams) {
	answer.serverNoTakeover = got.serverNoTakeover || d.ServerNoContextTakeover
	answer.clientNoTakeover = got.clientNoTakeover || d.ClientNoContextTakeover
	answer.serverBits = smaller(got.serverBits, d.ServerMaxWindowBits)
	if answer.serverBits == maxWindowBits && got.serverBits == 0 {
		answer.serverBits = 0 // what it is anyhow
	}
	if got.clientBits != 0 {
		answer.clientBits = smaller(got.clientBits, d.ClientMaxWindowBits)
	}
	if answer.clientBits == maxWindowBits && got.clientBits != maxWindowBits {
		answer.clientBits = 0
	}
	return answer
}

// orMax returns the bits, the greatest if they are not given.
func orMax(bits int) int {
	if bits <= 0 {
		return maxWindowBits
	}
	return bits
}

// smaller returns the lesser of two windows, of which any may be not given.
func smaller(a, b int) int { return min(orMax(a), orMax(b)) }
