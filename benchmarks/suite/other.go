//go:build !linux

package main

import "log"

func main() { log.Fatal("the load needs epoll: Linux") }
