//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd)

package serve

// lockFolder locks nothing: see lock_unix.go.
func lockFolder(string) (unlock func(), held bool) { return func() {}, true }
