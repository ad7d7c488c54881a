package link

import (
	"log/slog"
	"time"

	"github.com/tandemws/tandem/protocol"
)

// The defaults of both faces' options; they are those of Python's websockets
// where it has such an option.
const (
	DefaultOpenTimeout     = 10 * time.Second
	DefaultCloseTimeout    = 10 * time.Second
	DefaultMaxQueue        = 16
	DefaultMaxQueueBytes   = 1 << 20
	DefaultMaxFragmentSize = 256 << 10
	DefaultHold            = time.Millisecond
)

// Default returns value, or byDefault when it is zero.
func Default[T comparable](value, byDefault T) T {
	var zero T
	if value == zero {
		return byDefault
	}
	return value
}

// WithDefaults returns the options with the default in place of each zero, and a
// clock.
func (o Options) WithDefaults() *Options {
	o.MaxMessageSize = Default(o.MaxMessageSize, protocol.DefaultMaxMessageSize)
	o.MaxQueue = Default(o.MaxQueue, DefaultMaxQueue)
	o.MaxQueueBytes = Default(o.MaxQueueBytes, DefaultMaxQueueBytes)
	if o.CloseTimeout <= 0 { // it cannot be turned off: Close always returns
		o.CloseTimeout = DefaultCloseTimeout
	}
	o.MaxFragmentSize = Default(o.MaxFragmentSize, DefaultMaxFragmentSize)
	o.Hold = Default(o.Hold, DefaultHold)
	o.Logger = Default(o.Logger, slog.Default())
	o.Clock = Default(o.Clock, NewClock(&o))
	return &o
}
