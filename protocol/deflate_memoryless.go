package protocol

// Without context takeover, in either direction, permessage-deflate remembers
// nothing from one message to the next. So what was agreed on is all that there
// is to an idle connection's, and is the same for very many of them. A [Conn] has
// a copy of its own for what is under way.

// Interchangeable reports whether connections that agreed on a may be given b
// instead, and the other way round; see [Config]. That is so with
// permessage-deflate and nothing else, without context takeover (RFC 7692, section
// 7.1.1), when they agreed on the same and have their settings from the same
// [Deflate]; not with no extensions at all. It may be called at any time.
func Interchangeable(a, b []Extension) bool {
	x, ok := memoryless(a)
	y, also := memoryless(b)
	return ok && also && x.settings == y.settings && x.in == y.in && x.out == y.out
}

// memoryless returns the deflate that is the only extension; ok is false if it
// remembers something, or is not there.
func memoryless(extensions []Extension) (d *deflate, ok bool) {
	if len(extensions) != 1 {
		return nil, false
	}
	d, ok = extensions[0].(*deflate)
	return d, ok && !d.in.takeover && !d.out.takeover
}

// An ownDeflate is a connection's copy of such a deflate.
type ownDeflate struct {
	deflate deflate
	list    [1]Extension
}

// insteadOf returns the extensions that a connection uses, the copy if others may
// have been given the same.
func (own *ownDeflate) insteadOf(extensions []Extension) []Extension {
	d, ok := memoryless(extensions)
	if !ok {
		return extensions
	}
	own.deflate = deflate{settings: d.settings, in: d.in, out: d.out}
	own.list[0] = &own.deflate
	return own.list[:]
}
