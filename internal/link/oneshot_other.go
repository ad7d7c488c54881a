//go:build !unix

package link

// writing returns nil: there are no writes that do not wait.
func (w *once) writing() func(fd uintptr) { return nil }
