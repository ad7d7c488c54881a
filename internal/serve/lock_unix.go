//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package serve

import (
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// lockFolder keeps other servers from putting a socket into the folder of path
// until unlock is called. It may be somebody else's, who keeps it locked for long:
// then held is false. A folder that cannot be locked at all is nobody's.
func lockFolder(path string) (unlock func(), held bool) {
	const patience, pace = time.Second, time.Millisecond
	folder, err := os.Open(filepath.Dir(path))
	if err != nil {
		return func() {}, true
	}
	unlock = func() { folder.Close() }
	for began := time.Now(); time.Since(began) < patience; time.Sleep(pace) {
		err = syscall.Flock(int(folder.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err != syscall.EWOULDBLOCK && err != syscall.EINTR {
			return unlock, true
		}
	}
	return unlock, false
}
