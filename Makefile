# reapcheck: `make repro` shows the race and the fix, `make test` runs the tests.

TIER      ?= quick
RUNTIME   ?= auto
STRATEGY  ?= registry
RESULTS   ?= results
FUZZTIME  ?= 30s
OUT       ?= bin
VERSION   ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)

export CGO_ENABLED = 0
GOFILES := $(shell find . -name '*.go' -not -path './results/*') $(wildcard fixtures/*/*.patch fixtures/targets/* fixtures/programs/*/*.c) go.mod go.sum
GOFILES += Dockerfile.test daemon/api/openapi.json $(wildcard harness/report/page.* harness/results/schema/*.json)
COMMIT  ?= $(shell git rev-parse HEAD 2>/dev/null)
LDFLAGS := -X main.version=$(VERSION) -X main.commit=$(COMMIT)
REPRO   := --tier=$(TIER) --runtime=$(RUNTIME) --strategy=$(STRATEGY)
REPRO   += $(if $(BLACK_BOX),--black-box) $(if $(WAIT_PATH),--wait-path=$(WAIT_PATH))
REPRO   += $(if $(SHARD),--shard=$(SHARD))
REPRO   += $(if $(SCENARIO)$(ONLY),--only=$(or $(SCENARIO),$(ONLY)))
RUN     := --results=$(RESULTS) $(if $(SEED),--seed=$(SEED)) $(if $(BASE_IMAGE),--base-image=$(BASE_IMAGE))
SLOWLY  := $(if $(SLOW)$(BUSY),tools/slow/slow.sh $(if $(SLOW),--share $(SLOW)) $(if $(BUSY),--busy $(BUSY)))
# A verdict other than pass is no crash, and make's own "Error 2" reads like one.
VERDICT := || { status=$$?; [ $$status -gt 2 ] || echo "(make calls every verdict but pass an error; this one is above)" >&2; exit $$status; }
ACTIONLINT  = go tool -modfile=tools/lint/go.mod actionlint
STATICCHECK = go tool -modfile=tools/lint/go.mod staticcheck

.DEFAULT_GOAL := help

.PHONY: help
help: ## Show this help
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo "  settings: TIER=quick|standard|soak RUNTIME=auto|docker|namespace STRATEGY= SCENARIO= SEED= BLACK_BOX=1 WAIT_PATH=fallback BASE_IMAGE= RESULTS= ONLY= SLICE=K/N SHARD=K/N RUNS=N BENCH=--quick SLOW=0.25 BUSY=8"

.PHONY: build
build: $(OUT)/reapcheck $(OUT)/reapcheck-launcher $(OUT)/daemon $(OUT)/daemon-faultpoints $(OUT)/daemon-naive ## Build the static binaries below bin/

$(OUT)/reapcheck: $(GOFILES)
	@echo "building $@"
	@go build -trimpath -ldflags '$(LDFLAGS)' -o $@ ./harness/cmd/reapcheck

$(OUT)/reapcheck-launcher: $(GOFILES)
	@echo "building $@"
	@go build -trimpath -ldflags '-s -w' -o $@ ./harness/cmd/reapcheck-launcher

$(OUT)/daemon: $(GOFILES)
	@echo "building $@"
	@go build -trimpath -tags nomsgpack -ldflags '$(LDFLAGS)' -o $@ ./daemon

$(OUT)/daemon-naive: $(GOFILES)
	@echo "building $@"
	@go build -trimpath -o $@ ./fixtures/programs/naive

$(OUT)/daemon-faultpoints: $(GOFILES)
	@echo "building $@"
	@go build -trimpath -tags nomsgpack,faultpoints -ldflags '$(LDFLAGS)' -o $@ ./daemon

.PHONY: repro
repro: build ## Show the race on the baseline and its absence in the candidate
	@$(SLOWLY) bin/reapcheck repro $(RUN) $(REPRO) $(VERDICT)

.PHONY: bench
bench: build ## Measure what each strategy costs, on a machine that does nothing else
	go test -tags nomsgpack -run '^$$' -bench . -benchtime 1000x ./daemon/process
	@$(SLOWLY) bin/reapcheck bench $(RUN) --runtime=$(RUNTIME:auto=namespace) $(BENCH) $(VERDICT)

.PHONY: mutants
mutants: build ## Plant known defects in the daemon and see each of them caught
	@$(SLOWLY) bin/reapcheck mutants $(RUN) --runtime=$(RUNTIME) $(if $(ONLY),--only=$(ONLY)) $(if $(SLICE),--slice=$(SLICE)) $(if $(SHARD),--shard=$(SHARD))

.PHONY: alarms
alarms: build ## Run the sound daemon again and again, RUNS times, and count what is not a pass
	@$(SLOWLY) bin/reapcheck alarms $(RUN) --runtime=$(RUNTIME) $(if $(filter-out file,$(origin TIER)),--tier=$(TIER)) $(if $(RUNS),--runs=$(RUNS)) $(if $(SHARD),--shard=$(SHARD))

.PHONY: test
# One package at a time: whole gates run in some, and keep the CPUs busy by themselves.
test: build ## Run all tests, with the race detector
	CGO_ENABLED=1 $(SLOWLY) go test -race -p 1 -timeout 60m -tags nomsgpack ./...
	CGO_ENABLED=1 go test -race -tags nomsgpack,faultpoints ./daemon/faultpoint

.PHONY: fuzz
fuzz: ## Fuzz the daemon's decoder and handler, and the forms of answers, FUZZTIME each
	go test -tags nomsgpack -run '^$$' -fuzz '^FuzzParse$$' -fuzztime $(FUZZTIME) -fuzzminimizetime 10x ./daemon/api
	go test -tags nomsgpack -run '^$$' -fuzz '^FuzzExecute$$' -fuzztime $(FUZZTIME) -fuzzminimizetime 10x ./daemon/api
	go test -tags nomsgpack -run '^$$' -fuzz '^FuzzForms$$' -fuzztime $(FUZZTIME) -fuzzminimizetime 10x ./harness/dialect

.PHONY: lint
lint: ## Check formatting, vet for every platform the daemon builds on, staticcheck
	@test -z "$$(gofmt -l . | tee /dev/stderr)" || { echo "lint: run gofmt -w on these files"; exit 1; }
	go vet ./...
	go vet -tags faultpoints ./daemon/...
	GOOS=darwin go vet ./daemon/...
	GOOS=freebsd go vet ./daemon/process ./daemon/faultpoint
	$(STATICCHECK) ./...
	$(ACTIONLINT) -color=false
	go mod tidy -diff

IMAGE ?= reapcheck:$(VERSION)

.PHONY: image
image: build ## Build the image with the harness in it, as IMAGE, on BASE_IMAGE
	@tools/image/image.sh $(IMAGE) $(VERSION) $(BASE_IMAGE)

DIST = dist/reapcheck-$(VERSION)-linux-

.PHONY: dist
dist: ## Make release archives for linux amd64 and arm64, with checksums, below dist/
	@rm -rf dist && mkdir dist
	@for arch in amd64 arm64; do \
		echo "building $(DIST)$$arch"; \
		GOOS=linux GOARCH=$$arch $(MAKE) --no-print-directory -B build OUT=$(DIST)$$arch >/dev/null && \
		cp LICENSE README.md $(DIST)$$arch/ && \
		tar -C dist --sort=name --owner=0 --group=0 --numeric-owner --mtime=@0 -c reapcheck-$(VERSION)-linux-$$arch | gzip -n >$(DIST)$$arch.tar.gz && \
		rm -r $(DIST)$$arch || exit; \
	done
	@cd dist && sha256sum *.tar.gz | tee SHA256SUMS

.PHONY: doctor
doctor: bin/reapcheck ## Say what this machine lacks to run the sandboxes
	@bin/reapcheck doctor

.PHONY: clean
clean: bin/reapcheck ## Remove what killed runs left behind, the binaries and the results
	@bin/reapcheck sweep
	rm -rf bin dist results
