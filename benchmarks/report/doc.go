// Command report makes docs/performance.md and its charts from the results of
// command suite. From the same results it makes the same bytes.
//
//	go run ./report -i results.json -o ../docs
package main
