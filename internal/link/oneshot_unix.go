//go:build unix

package link

import "syscall"

// writing returns a function that writes to a socket once.
func (w *once) writing() func(fd uintptr) {
	return func(fd uintptr) {
		for w.errno = syscall.EINTR; w.errno == syscall.EINTR; {
			if len(w.body) == 0 {
				w.n, w.errno = send(fd, w.frame)
			} else {
				w.n, w.errno = writeVector(fd, w.frame, w.body)
			}
		}
	}
}

// writeOnce leaves out what RawConn.Write does for a write that may wait: to get
// the poller ready, whose state is in no cache either.
func (t *rawTransport) writeOnce(w *once) (ok bool, err error) {
	if err = t.raw.Control(w.write); err == nil && w.errno != 0 && w.errno != syscall.EAGAIN {
		err = w.errno
	}
	if err != nil || w.errno != 0 {
		w.n = 0
	}
	return true, err
}
