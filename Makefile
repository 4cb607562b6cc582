# Everything works on a fresh machine with Go, git and make. Terraform (1.5 or
# newer) is taken from PATH, else fetched by scalerd itself.
GO          ?= go
TOOLS       := $(CURDIR)/bin/tools
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2
GOVULNCHECK := golang.org/x/vuln/cmd/govulncheck@v1.9.0
PACKAGES    := ./cmd/... ./examples/... ./optimizer/... ./scaler/... ./templates/... ./tfgen/...
TRACE       ?=
# For bench-decisions: where the public traces are, and the variant of the plant,
# such as "--drift 1 --extra-latency 60ms", "--law mg1", "--boot 300s" or "--seeds 3".
TRACES      ?= ../shared/traces
VARIANT     ?= --drift 1.25

.PHONY: build test e2e race adts lint bench bench-scale tofu bench-decisions bench-optimizer demo clean

build: ## bin/scalerd and bin/scalerctl
	$(GO) build -trimpath -o bin/ ./cmd/scalerd ./cmd/scalerctl

# What `make test` takes of the end-to-end tests: the main job, a kill -9 in the
# middle of an apply, bad input, each cloud's life over simulated clouds. They come
# last, alone: they keep real time.
SMOKE := TestScripts|TestFleetsFollowTheLoad|TestBrokenDescriptionChangesNothing|TestKilledDaemonLosesAndDoublesNothing/when_terraform_applies|TestEveryCloudFromNothingToNothing|TestEveryADT

# Packages that compute and start no goroutines: the race detector finds nothing in
# them, and makes them ten times slower.
PURE := ./optimizer/... ./scaler/backtest ./scaler/trace ./templates/... ./tfgen/...

test: ## all tests but most of the end-to-end ones and the longest; the race detector where goroutines are
	$(GO) test -short -timeout 15m $(PURE)
	$(GO) test -race -short -timeout 15m ./examples/... $$($(GO) list ./scaler/... | grep -v 'scaler/backtest\|scaler/trace') ./cmd/scalerctl ./cmd/scalerd
	$(GO) test -race -short -timeout 10m -run '$(SMOKE)' ./cmd

e2e: ## all of the real binaries: kill -9 at many moments, bad input, full disks
	$(GO) test -race -timeout 40m ./cmd

race: ## all tests twice, for what happens only sometimes
	$(GO) test -race -count=2 -timeout 30m $(PACKAGES)

adts: ## every MiCADO template through its life over simulated clouds: a table
	$(GO) test -timeout 30m -run TestEveryADT -v ./cmd | grep -v level=INFO

lint: ## gofmt, vet, staticcheck, and govulncheck where its database can be reached
	@unformatted=$$(gofmt -l $$(git ls-files '*.go')); test -z "$$unformatted" || { echo "gofmt would change: $$unformatted"; exit 1; }
	$(GO) vet $(PACKAGES)
	@mkdir -p $(TOOLS) && GOBIN=$(TOOLS) $(GO) install $(STATICCHECK)
	$(TOOLS)/staticcheck $(PACKAGES)
	@GOBIN=$(TOOLS) $(GO) install $(GOVULNCHECK)
	@$(TOOLS)/govulncheck $(PACKAGES); status=$$?; if [ $$status -eq 3 ]; then exit 3; \
	elif [ $$status -ne 0 ]; then echo "govulncheck could not run here (see above); everything else passed"; fi

bench: build ## figures of one tick and one step, side by side with bare terraform
	$(GO) test -run '^$$' -bench . -benchmem $(PACKAGES)

bench-scale: ## what a node more costs at 10, 100, 1000 and 10000 nodes, beside a single root module; 0 -> 1000
	$(GO) test -run '^$$' -bench 'BenchmarkScale' -benchtime 1x -timeout 3h ./cmd

# OpenTofu at the version that its own module pins, for the tests that run with both.
tofu: bin/tofu
bin/tofu: scaler/terraform/testdata/tofu/go.mod
	cd scaler/terraform/testdata/tofu && $(GO) build -trimpath -ldflags '-s -w -X github.com/opentofu/opentofu/version.dev=no' -o $(CURDIR)/bin/tofu github.com/opentofu/opentofu/cmd/tofu

bench-decisions: build ## every built-in policy over every trace: cost, time over the limit, actions
	bin/scalerctl backtest $(if $(wildcard $(TRACES)),--suite $(TRACES)) --trace examples/traces/day.csv --hindsight $(VARIANT)

bench-optimizer: ## the optimizer beside scikit-learn on recorded samples, its decisions, its speed
	$(GO) test -count 1 -timeout 30m -run 'TestAgainstScikit|TestErrorOfTheDecision' -v ./optimizer
	$(GO) test -run '^$$' -bench . -benchmem ./optimizer/...

demo: build ## the main job in three minutes; TRACE=FILE.csv drives it with your load
	bin/scalerd demo $(if $(TRACE),--trace $(TRACE))

clean:
	rm -rf bin dist
