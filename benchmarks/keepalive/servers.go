package main

import (
	"context"
	"time"

	wsasync "github.com/tandemws/tandem/async"
	"github.com/tandemws/tandem/keepalive"
	wssync "github.com/tandemws/tandem/sync"
)

// order is that of the output.
var order = []string{
	"floor", "sync", "sync-idle", "sync-pong", "async",
	"gorilla", "coder", "nhooyr", "gws", "gobwas",
}

// servers start servers on loopback, which receive whatever comes, and return
// their addresses.
var servers = map[string]func(clock) string{
	"floor": floor,

	"sync":      syncServer(keepalive.ModePing),
	"sync-idle": syncServer(keepalive.ModeIdle),
	"sync-pong": syncServer(keepalive.ModePong),
	"sync-off":  syncServer(off),
	"async":     asyncServer,

	"gorilla": gorilla,
	"coder":   coder,
	"nhooyr":  nhooyrServer,
	"gws":     gwsServer,
	"gobwas":  gobwas,
}

// off is a mode in which nothing is sent.
const off = keepalive.Mode(255)

// config is the keepalive of Tandem's servers. In modes in which nobody is
// pinged the clients are not to miss it.
func config(mode keepalive.Mode) keepalive.Config {
	if mode == off {
		return keepalive.Config{Interval: -1}
	}
	return keepalive.Config{Interval: interval, Timeout: patience, Mode: mode}
}

// hooks count how late pings are.
func (c clock) hooks() *keepalive.Hooks {
	if c.late == nil {
		return nil
	}
	return &keepalive.Hooks{
		PingSent: func(_ keepalive.Conn, late time.Duration) { c.late.add(late) },
	}
}

func syncServer(mode keepalive.Mode) func(clock) string {
	return func(c clock) string {
		handler := func(conn *wssync.ServerConn) error {
			for {
				if _, err := conn.Recv(); err != nil {
					return err
				}
			}
		}
		server := must(wssync.Serve(handler, "127.0.0.1:0", &wssync.ServerOptions{
			Keepalive: config(mode), Hooks: c.hooks(), DiscardRequest: true,
		}))
		return server.Addr().String()
	}
}

func asyncServer(c clock) string {
	handler := func(ctx context.Context, conn *wsasync.ServerConn) error {
		for {
			if _, err := conn.Recv(ctx); err != nil {
				return err
			}
		}
	}
	server := must(wsasync.Serve(context.Background(), handler, "127.0.0.1:0", &wsasync.ServerOptions{
		Keepalive: config(keepalive.ModePing), Hooks: c.hooks(), DiscardRequest: true,
	}))
	return server.Addr().String()
}
