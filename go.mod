module github.com/tandemws/tandem

go 1.25.0

require (
	go.uber.org/goleak v1.3.0
	golang.org/x/net v0.58.0
	golang.org/x/sync v0.22.0
	golang.org/x/sys v0.47.0
	golang.org/x/term v0.45.0
)

require (
	github.com/coder/websocket v1.8.15
	github.com/klauspost/compress v1.20.3
	nhooyr.io/websocket v1.8.17
)

require github.com/gorilla/websocket v1.5.3

require golang.org/x/text v0.41.0 // indirect
