package protocol

import "fmt"

// deflateName is the token for permessage-deflate (RFC 7692, section 7).
const deflateName = "permessage-deflate"

// The sizes of a window are 2^8 to 2^15 bytes (RFC 7692, section 7.1.2).
const (
	minWindowBits = 8
	maxWindowBits = 15
)

// The defaults of [Deflate].
const (
	DefaultWindowBits        = 12
	DefaultCompressThreshold = 64
)

// Deflate has the settings of permessage-deflate (RFC 7692), which compresses
// messages. nil and the zero value are good ones: compression is negotiated,
// with windows of 4 KiB and context takeover in both directions. It is a
// factory for clients and for servers, and must not be changed once in use.
//
// With context takeover a message can refer to the ones before it, within the
// window. That makes short messages that resemble each other much shorter, and
// costs a connection as much memory as the window in each direction. Without
// it, an idle connection has no memory for compression.
type Deflate struct {
	// Disabled turns compression off.
	Disabled bool

	// ServerNoContextTakeover has the server compress each message by itself.
	ServerNoContextTakeover bool

	// ClientNoContextTakeover has the client compress each message by itself.
	// As a client's setting it is kept even if the server does not mind.
	ClientNoContextTakeover bool

	// ServerMaxWindowBits and ClientMaxWindowBits bound the windows of what
	// the server and the client send, to 2^8 to 2^15 bytes. By default 12, or
	// without context takeover in that direction no bound. A negative value
	// sets no bound, and a client's offer then does not mention
	// it, which means 15; for ClientMaxWindowBits the server may set one.
	ServerMaxWindowBits int
	ClientMaxWindowBits int

	// Level is what package compress/flate calls so, from 1, the fastest, to
	// 9; it applies to windows of 2^15 bytes only. Default 1.
	Level int

	// Threshold is the size in bytes below which messages are not compressed
	// unless their sender asks for it. Default 64; negative means that all
	// are.
	Threshold int

	// Pools, if not nil, lend compressors and decompressors to all
	// connections. By default each message allocates its own.
	Pools Pools
}

// Pools lends what is costly to make and only needed during a call or a
// message. It may be used concurrently.
type Pools interface {
	// Get returns something that Put got for the same kind, or nil. Kinds are
	// less than [PoolKinds].
	Get(kind int) any

	// Put takes x, which is not used any more.
	Put(kind int, x any)
}

// PoolKinds is how many kinds of things [Pools] has to keep apart.
const PoolKinds = poolLong + maxWindowBits + 10

// The kinds: inflaters, short deflaters, histories by bits, and long deflaters
// by the bits of the window, or with the greatest one by the level.
const (
	poolInflater = 0
	poolShort    = 1
	poolHistory  = 2
	poolLong     = poolHistory + maxWindowBits + 1
)

func longKind(bits, level int) int {
	if bits < maxWindowBits {
		return poolLong + bits
	}
	return poolLong + maxWindowBits + level
}

// borrow returns something of a kind, nil if there is none.
func (d *Deflate) borrow(kind int) any {
	if d.Pools == nil {
		return nil
	}
	return d.Pools.Get(kind)
}

func (d *Deflate) giveBack(kind int, x any) {
	if d.Pools != nil {
		d.Pools.Put(kind, x)
	}
}

// Validate reports settings that RFC 7692 does not know, as a
// [*HandshakeError] that blames the caller.
func (d *Deflate) Validate() error {
	for _, bits := range []int{d.ServerMaxWindowBits, d.ClientMaxWindowBits} {
		if bits > 0 && (bits < minWindowBits || bits > maxWindowBits) {
			return localError("7692, section 7.1.2", fmt.Sprintf("window of %d bits", bits), ErrExtension)
		}
	}
	if d.Level < 0 || d.Level > 9 {
		return localError("7692, section 7.2.1", fmt.Sprintf("compression level %d", d.Level), ErrExtension)
	}
	return nil
}

// WithDefaults returns the settings with the default in place of each zero. A
// nil d has them all.
func (d *Deflate) WithDefaults() *Deflate {
	var full Deflate
	if d != nil {
		full = *d
	}
	full.ServerMaxWindowBits = windowOr(full.ServerMaxWindowBits, full.ServerNoContextTakeover)
	full.ClientMaxWindowBits = windowOr(full.ClientMaxWindowBits, full.ClientNoContextTakeover)
	if full.Level == 0 {
		full.Level = 1
	}
	if full.Threshold == 0 {
		full.Threshold = DefaultCompressThreshold
	}
	return &full
}

// windowOr returns the bits of a window, or if none are set the default: a large
// window is faster, and costs nothing where it is not kept.
func windowOr(bits int, forgotten bool) int {
	switch {
	case bits != 0:
		return bits
	case forgotten:
		return -1
	}
	return DefaultWindowBits
}

// settled returns settings in which nothing is left to the defaults: d itself, which
// all connections then share, if it is like that.
func (d *Deflate) settled() *Deflate {
	if d == nil || d.ServerMaxWindowBits == 0 || d.ClientMaxWindowBits == 0 || d.Level == 0 || d.Threshold == 0 {
		return d.WithDefaults()
	}
	return d
}

// Name returns "permessage-deflate".
func (d *Deflate) Name() string { return deflateName }
