# make demo   two daemons on this machine, one protected link between them (root)
# make build  bin/pc5d and bin/pc5ctl
# make test   every test there is, with what it needs installed first

GO          ?= go
STATICCHECK ?= honnef.co/go/tools/cmd/staticcheck@v0.8.2
FUZZTIME    ?= 30000x
STAGES      := vet unit race fuzz net

.PHONY: build demo test deps $(STAGES)

build:
	$(GO) build -trimpath -o bin/ ./cmd/...

demo: build
	bin/pc5ctl demo

# Each stage is a target of its own; the table of stages and times comes last.
test: deps
	@MAKE="$(MAKE)" .ci/stages $(STAGES)

deps:
	@.ci/deps

vet:
	$(GO) vet ./...
	$(GO) run $(STATICCHECK) ./...

# The whole flip test runs here, without the race detector.
unit:
	$(GO) test ./...

race:
	$(GO) test -race -short ./...

fuzz:
	@FUZZTIME=$(FUZZTIME) GO=$(GO) .ci/fuzz

# Real daemons, TUN, veth and namespaces.
net: demo
	$(GO) vet -tags net ./...
	$(GO) test -tags net -count=1 ./daemon/lab/...
