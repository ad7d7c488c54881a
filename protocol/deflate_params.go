package protocol

import (
	"fmt"
	"slices"
	"strconv"
)

// The parameters of permessage-deflate (RFC 7692, section 7.1).
const (
	serverNoContextTakeover = "server_no_context_takeover"
	clientNoContextTakeover = "client_no_context_takeover"
	serverMaxWindowBits     = "server_max_window_bits"
	clientMaxWindowBits     = "client_max_window_bits"
)

// deflateParams is an offer or an answer. Bits are 0 when they are not given
// and anyBits when they stand there without a value.
type deflateParams struct {
	serverNoTakeover, clientNoTakeover bool
	serverBits, clientBits             int
}

const anyBits = -1

// parseDeflateParams reads parameters. Those of section 7.1 alone are known,
// each may be there once, and has a value exactly if it is to have one; only
// an offer may have client_max_window_bits without.
func parseDeflateParams(list []Param, offer bool) (p deflateParams, err error) {
	for i, param := range list { // of four at most: others are not known
		if slices.ContainsFunc(list[:i], func(before Param) bool { return before.Name == param.Name }) {
			return p, fmt.Errorf("%s is there twice", param.Name)
		}
		if err := p.set(param, offer); err != nil {
			return p, err
		}
	}
	return p, nil
}

func (p *deflateParams) set(param Param, offer bool) (err error) {
	switch param.Name {
	case serverNoContextTakeover:
		p.serverNoTakeover = true
		return withoutValue(param)
	case clientNoContextTakeover:
		p.clientNoTakeover = true
		return withoutValue(param)
	case serverMaxWindowBits:
		p.serverBits, err = windowBits(param)
	case clientMaxWindowBits:
		if offer && param.Value == "" {
			p.clientBits = anyBits
			return nil
		}
		p.clientBits, err = windowBits(param)
	default:
		return fmt.Errorf("parameter %s is not known", quote(param.Name))
	}
	return err
}

func withoutValue(p Param) error {
	if p.Value != "" {
		return fmt.Errorf("%s has a value", p.Name)
	}
	return nil
}

// windowBits reads 8 to 15, written without leading zeros.
func windowBits(p Param) (int, error) {
	for bits := minWindowBits; bits <= maxWindowBits; bits++ {
		if p.Value == strconv.Itoa(bits) {
			return bits, nil
		}
	}
	return 0, fmt.Errorf("%s is %s instead of 8 to 15", p.Name, quote(p.Value))
}

// count returns how many parameters there are.
func (p deflateParams) count() (n int) {
	for _, there := range [...]bool{p.serverNoTakeover, p.clientNoTakeover, p.serverBits > 0, p.clientBits != 0} {
		if there {
			n++
		}
	}
	return n
}

// list returns the parameters as they stand in the header.
func (p deflateParams) list() []Param {
	list := make([]Param, 0, p.count())
	if p.serverNoTakeover {
		list = append(list, Param{Name: serverNoContextTakeover})
	}
	if p.clientNoTakeover {
		list = append(list, Param{Name: clientNoContextTakeover})
	}
	if p.serverBits > 0 {
		list = append(list, Param{serverMaxWindowBits, strconv.Itoa(p.serverBits)})
	}
	switch {
	case p.clientBits == anyBits:
		list = append(list, Param{Name: clientMaxWindowBits})
	case p.clientBits > 0:
		list = append(list, Param{clientMaxWindowBits, strconv.Itoa(p.clientBits)})
	}
	return list
}
