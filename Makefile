# Needs Go, a POSIX shell and make; a C compiler too for the race detector.
# The comment behind a target's name is its line in the help.

GO          = go
STATICCHECK = honnef.co/go/tools/cmd/staticcheck@v0.8.2

# All packages: "./..." leaves out what is below a folder called testdata.
PACKAGES = ./... ./testdata/autobahn/...

# One "os/arch" for each system that we build for and cannot test here.
PLATFORMS = linux/arm64 linux/386 darwin/arm64 freebsd/amd64 windows/amd64 js/wasm

# How long "make fuzz" gives each target, and how much "make cover" demands.
FUZZTIME = 30s
COVERAGE = 95

# Tests that count allocations, stacks and goroutines, which the race detector
# changes, or connections, for which it is too slow: they skip themselves under
# it or are not built.
MEASURING = Alloc|Stack|Size|Goroutine|Memory|Many

.DEFAULT_GOAL = help
.PHONY: help demo test format vet staticcheck tests measure test-wrapped test-386 test-qemu cross benchmarks rigs rigs-long autobahn fuzz bench cover

help: ## list the targets
	@echo "Targets:"
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

demo: ## watch connections stay alive, and be given up for a reason (15 s)
	$(GO) run ./cmd/tandem demo

# Cheap checks come first, so that a slip shows within seconds.
test: format vet staticcheck tests measure test-wrapped test-386 cross benchmarks ## all checks and tests that need nothing but Go
	@echo "make test: everything passed"

format: ## check that gofmt would change nothing
	@echo "== gofmt"
	@list=$$(gofmt -l .); test -z "$$list" || { echo "not formatted:"; echo "$$list"; exit 1; }

vet: ## go vet
	@echo "== go vet"
	@$(GO) vet $(PACKAGES)

staticcheck: ## staticcheck, the pinned version
	@echo "== staticcheck"
	@$(GO) run $(STATICCHECK) $(PACKAGES)

# A package of the standard library is built with the race detector to find out
# whether this machine can. The rigs' tests skip: they are for "make rigs".
tests: ## all tests, shuffled, with the race detector where there is a C compiler
	@if CGO_ENABLED=1 $(GO) test -race -run='^$$' errors >/dev/null 2>&1; then \
		echo "== tests, with the race detector"; \
		TANDEM_RIGS= CGO_ENABLED=1 $(GO) test -race -shuffle=on $(PACKAGES); \
	else \
		echo "**********************************************************************"; \
		echo "** NO RACE DETECTOR: it needs cgo and a C compiler, none works here. **"; \
		echo "** The tests run without it and prove less about concurrent use.     **"; \
		echo "**********************************************************************"; \
		TANDEM_RIGS= $(GO) test -shuffle=on $(PACKAGES); \
	fi

measure: ## tests that measure, without the race detector
	@echo "== tests that measure, without the race detector"
	@TANDEM_RIGS= $(GO) test -shuffle=on -run='$(MEASURING)' ./...

# What holds although nobody tells what becomes of the bytes, and TCP cannot be
# half-closed: all that is not about causes, timing and the end of TCP. (A $\ at
# the end of a line joins it to the next without a space.)
WRAPPED = Test(Echo|SmallFragments|Receive|SendWriter|Fragments|InvalidText|BadText|OneMessage|Skip|Messages|$\
Close$$|CloseSim|CloseRefused|CloseTimeout|CloseNow|CloseWithFullQueue|CloseFromAnywhere|PeerCloses|ReadAfterClose|$\
Violation$$|TooBig|Leave|PartialWrite|BoundReached|Bounds|NoDeadlock|SendAllFirst|LargeMessage|ManySenders|$\
SecondReceiver|ComingAndGoing|EarlyMessages|Answers|Hold|Held|TooManyPings|PingFlood|Pongs|OlderPong|NewerPong|$\
EarlyPong|OwnPing|FirstPing|PingsForADay|BothKeepAlive|KeepaliveOff|NoTimeout|SlowApplication|NeverReceives|$\
Broadcast|ManyBroadcasters|Prepared|NetConn|JSON|Compress|Extension|Discarded|Set|Release|$\
Connect|DialTLS|TLSFails|Proxy|Redirects|Digest|Reconnect|OpenTimeout|$\
Server|Handler|Route|NoRoutes|Process|Fallback|HooksPanic|Own|Basic|Refusals|Max|FirstMessage|Hijack|Injection|Hostile|$\
Shutdown|KeepConnections)

test-wrapped: ## tests of both faces over connections that only read and write, as on Windows
	@echo "== tests over wrapped connections"
	@TANDEM_RIGS= TANDEM_TRANSPORT=wrapped $(GO) test -shuffle=on -run='^$(WRAPPED)' -skip='Many$$' ./internal/suite

# Lengths are 64 bits on the wire and 32 bits in an int there. Some x86 kernels run
# such a binary as it is; else Debian's qemu-user-static does, but for Go's
# signals that interrupt a goroutine, and for TCP_INFO, which TestInspect asks for.
# It is too slow for keepalive's examples, which look at the clock.
test-386: ## tests of protocol, keepalive and internal/link on 32 bits
	@export GOOS=linux GOARCH=386; pkgs="./protocol ./keepalive ./internal/link"; \
	if $(GO) test -run='^$$' errors >/dev/null 2>&1; then \
		echo "== tests on 386"; \
		$(GO) test -shuffle=on $$pkgs; \
	elif command -v qemu-i386-static >/dev/null; then \
		echo "== tests on 386, emulated"; \
		$(GO) test -shuffle=on -exec 'env GODEBUG=asyncpreemptoff=1 qemu-i386-static' -skip='^TestInspect$$' ./protocol ./internal/link; \
	else \
		echo "************************************************************************"; \
		echo "** NO 386: this kernel runs no such binaries, and there is no emulator **"; \
		echo "** (qemu-user-static). The tests are vetted for it and not run.       **"; \
		echo "************************************************************************"; \
		$(GO) vet $$pkgs; \
	fi

# Bytes lie the other way round on s390x. The emulator is Debian's
# qemu-user-static; it is no part of "make test", for it is slow.
test-qemu: ## tests of protocol and keepalive on arm64 and s390x, emulated
	@for p in arm64/aarch64 s390x/s390x; do \
		command -v qemu-$${p#*/}-static >/dev/null || { echo "test-qemu: there is no qemu-$${p#*/}-static"; exit 1; }; \
		echo "== tests on $${p%/*}"; \
		GOOS=linux GOARCH=$${p%/*} CGO_ENABLED=0 $(GO) test -exec qemu-$${p#*/}-static -shuffle=on ./protocol ./keepalive || exit 1; \
	done

# vet looks at the tests too, which build leaves out.
cross: ## build and vet for the other systems
	@for p in $(PLATFORMS); do \
		echo "== build for $$p"; \
		GOOS=$${p%/*} GOARCH=$${p#*/} $(GO) build -o /dev/null ./... || exit 1; \
		GOOS=$${p%/*} GOARCH=$${p#*/} $(GO) vet $(PACKAGES) || exit 1; \
	done

benchmarks: ## vet, build and test the module of the benchmarks
	@echo "== benchmarks, a module of its own"
	@cd benchmarks && $(GO) vet ./... && $(GO) build -o /dev/null ./... && $(GO) test ./...
	@echo "== the comparison with other libraries, a module of its own"
	@cd internal/differential && $(GO) vet ./... && $(GO) test ./...

# TANDEM_RIGS=require, as in CI, turns each skip into a failure. One package runs
# at a time: some keep the machine busy on purpose, and others look at the clock.
rigs: ## tests against real peers, proxies, NAT and browsers (Debian, root)
	@.ci/install-rigs
	@echo "== tests against real peers and middleboxes"
	@TANDEM_RIGS=$${TANDEM_RIGS:-on} $(GO) test -count=1 -p=1 -v -timeout=20m ./internal/rig/...

rigs-long: ## what must not be given up, watched for a minute: slow, lossy, busy, paused, behind proxies; and probes
	@echo "== what has to live, for a minute"
	@TANDEM_RIGS=$${TANDEM_RIGS:-on} TANDEM_RIGS_LIFE=60s $(GO) test -count=1 -p=1 -v -timeout=20m \
		-run='Slow|Lossy|Paused|Continued|Busy|Idle|Probe' ./internal/rig/network ./internal/rig/causes ./internal/rig/proxy

autobahn: ## the Autobahn Testsuite against both faces, where it is installed
	@testdata/autobahn/run

fuzz: ## fuzz each target for FUZZTIME
	@for pkg in $$($(GO) list ./...); do \
		for f in $$($(GO) test -list='^Fuzz' $$pkg | grep '^Fuzz'); do \
			echo "== $$pkg $$f"; \
			$(GO) test -run='^$$' -fuzz="^$$f$$" -fuzztime=$(FUZZTIME) $$pkg || exit 1; \
		done; \
	done

bench: ## benchmarks of the packages, then all of docs/performance.md (Linux, half an hour)
	@echo "== benchmarks of the packages"
	@TANDEM_RIGS= $(GO) test -run='^$$' -bench=. -benchmem ./...
	@echo "== Tandem beside other libraries"
	@cd benchmarks && $(GO) run ./suite -o results.json && $(GO) run ./report -i results.json -o ../docs

cover: ## coverage of protocol and keepalive by their own tests; fails under COVERAGE per cent
	@echo "== coverage"
	@for pkg in protocol keepalive; do \
		out=$$($(GO) test -cover ./$$pkg) || { echo "$$out"; exit 1; }; \
		echo "$$out"; \
		echo "$$out" | awk -v min=$(COVERAGE) '\
			match($$0, /coverage: [0-9.]+%/) { got = 0 + substr($$0, RSTART + 10, RLENGTH - 11); seen = 1 } \
			END { if (!seen || got < min) { print "less than " min " per cent"; exit 1 } }' || exit 1; \
	done
