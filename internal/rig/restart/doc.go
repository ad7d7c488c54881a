// Package restart has clients that stay connected follow a server that is
// killed, restarted and stopped, that refuses, and that drops.
package restart
