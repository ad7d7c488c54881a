package suite

import (
	wsasync "github.com/tandemws/tandem/async"
	wssync "github.com/tandemws/tandem/sync"
)

// Faults are the public errors of a face.
type Faults struct {
	ConcurrentReceive, TooManyPings, Skipped, WriterClosed error
	CloseTimeout, PartialWrite, Aborted, FirstMessage      error
}

// FaultsOf returns the errors that the face declares.
func FaultsOf(face Face) Faults {
	if face == (Sync{}) {
		return Faults{
			wssync.ErrConcurrentReceive, wssync.ErrTooManyPings, wssync.ErrSkipped, wssync.ErrWriterClosed,
			wssync.ErrCloseTimeout, wssync.ErrPartialWrite, wssync.ErrAborted, wssync.ErrFirstMessageTimeout,
		}
	}
	return Faults{
		wsasync.ErrConcurrentReceive, wsasync.ErrTooManyPings, wsasync.ErrSkipped, wsasync.ErrWriterClosed,
		wsasync.ErrCloseTimeout, wsasync.ErrPartialWrite, wsasync.ErrAborted, wsasync.ErrFirstMessageTimeout,
	}
}
