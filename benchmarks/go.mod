module github.com/tandemws/tandem/benchmarks

go 1.25.0

require github.com/tandemws/tandem v0.0.0

require (
	github.com/klauspost/compress v1.20.3 // indirect
	golang.org/x/sync v0.22.0 // indirect
	golang.org/x/sys v0.47.0 // indirect
)

replace github.com/tandemws/tandem => ../
