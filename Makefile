# make demo   two daemons on this machine, one protected link between them (root)
# make build  bin/pc5d and bin/pc5ctl
# make test   every test there is, with what it needs installed first
# make trace  which test proves which requirement of docs/requirements.md
# make model  searches the formal models of docs/model with Spin, mutants included
# make sim    whole daemons on a simulated network; make sim SEED=n shows one run
# make bench-auth  what authentication costs on this processor, beside bare TLS handshakes
# make bench-links what 1,000 links of one daemon cost (root)
# make bench       a link beside wireguard-go, all tables of docs/performance.md (root; some minutes)
# make bench-quick the deciding ratios only, in less than a minute (root)
# make soak   goes on with the simulation until it is stopped, or a seed fails

GO          ?= go
STATICCHECK ?= honnef.co/go/tools/cmd/staticcheck@v0.8.2
FUZZTIME    ?= 30000x
STAGES      := vet trace model unit race sim fuzz net
SEEDS       ?= 3000
# The pattern ./... leaves out folders that begin with a dot.
PACKAGES    := ./... ./.ci/trace

.PHONY: build demo test deps soak bench bench-quick bench-program bench-auth bench-links $(STAGES)

build:
	$(GO) build -trimpath -o bin/ ./cmd/...

demo: build
	bin/pc5ctl demo

bench-auth: build
	bin/pc5ctl bench auth

bench-links: build
	bin/pc5ctl bench links

# Not by "go run", which passes no signal on: what has been started must be ended.
bench-program: deps
	@$(GO) build -trimpath -o bin/bench/run ./daemon/lab/linkbench/run

bench: bench-program
	@bin/bench/run --page docs/performance.md

bench-quick: bench-program
	@bin/bench/run --quick

# Each stage is a target of its own; the table of stages and times comes last.
test: deps
	@MAKE="$(MAKE)" .ci/stages $(STAGES)

deps:
	@.ci/deps

vet:
	$(GO) vet $(PACKAGES)
	$(GO) run $(STATICCHECK) $(PACKAGES)

trace:
	@$(GO) run ./.ci/trace

# All states of each model; a mutant that is not found is a failure, too.
model:
	@docs/model/check

# The whole flip test runs here, without the race detector.
unit:
	$(GO) test $(PACKAGES)

race:
	$(GO) test -race -short $(PACKAGES)

# Generated worlds of whole daemons, each run twice; with SEED=n that one, with everything
# that happened in it.
sim:
ifdef SEED
	@mkdir -p bin/sim
	SIM_FIRST=$(SEED) SIM_SEEDS=1 SIM_TRACE=1 $(GO) test -v -count=1 -artifacts -outputdir $(CURDIR)/bin/sim -run '^TestSeeds$$' ./daemon/sim
else
	@GO=$(GO) SEEDS=$(SEEDS) .ci/sim
endif

soak:
	@GO=$(GO) SEEDS=$(SEEDS) .ci/sim forever

fuzz:
	@FUZZTIME=$(FUZZTIME) GO=$(GO) .ci/fuzz

# Real daemons, TUN, veth and namespaces. Most of the time of these tests is waiting, so some run
# at once, but the benchmarks not beside them; -v shows what they measured.
net: demo
	$(GO) vet -tags net ./...
	$(GO) test -tags net -count=1 -v -p 1 -parallel 4 -timeout 6m ./daemon/lab/...
