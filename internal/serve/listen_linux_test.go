package serve

import (
	"net"
	"syscall"
	"testing"
)

// Connections have TCP's keepalive as package net sets it up, whether it did so
// itself or they inherited it, and whichever kind of TCP the client speaks.
func TestKeepAliveInherited(t *testing.T) {
	listener, err := listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	plain, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer plain.Close()
	for _, multipath := range []bool{false, true} {
		want := keepAliveOf(t, plain, multipath)
		if got := keepAliveOf(t, listener, multipath); got != want || got[0] != 1 {
			t.Errorf("multipath %t: SO_KEEPALIVE and times %v, want %v as with net.Listen", multipath, got, want)
		}
	}
}

// keepAliveOf returns the options of a connection that the listener accepts.
func keepAliveOf(t *testing.T, listener net.Listener, multipath bool) (options [4]int) {
	var dialer net.Dialer
	dialer.SetMultipathTCP(multipath)
	client, err := dialer.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	conn, err := listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	raw, err := conn.(*net.TCPConn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	raw.Control(func(fd uintptr) {
		options[0], err = syscall.GetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_KEEPALIVE)
		for i, name := range []int{syscall.TCP_KEEPIDLE, syscall.TCP_KEEPINTVL, syscall.TCP_KEEPCNT} {
			if err == nil {
				options[i+1], err = syscall.GetsockoptInt(int(fd), syscall.IPPROTO_TCP, name)
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return options
}
