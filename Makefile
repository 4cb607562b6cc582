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

# Packages are built from a commit: the same one gives the same bytes.
VERSION     ?= $(shell git describe --tags --match 'v[0-9]*' 2>/dev/null | sed 's/^v//' | grep . || echo 0.0.0~$$(git log -1 --format=%cd.%h --date=format:%Y%m%d))
ARCH        ?= $(shell $(GO) env GOARCH)
EPOCH       := $(shell git log -1 --format=%ct 2>/dev/null || echo 0)
NFPM        := github.com/goreleaser/nfpm/v2/cmd/nfpm@v2.45.0
CYCLONEDX   := github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod@v1.10.0

AXE         := axe-core@4.14.1

.PHONY: build test e2e chaos soak race adts lint bench bench-scale tofu test-tofu vault test-vault bench-decisions bench-optimizer bench-api fuzz-api console-test demo dist deb deb-check clean

build: ## bin/scalerd and bin/scalerctl
	$(GO) build -trimpath -o bin/ ./cmd/scalerd ./cmd/scalerctl

# What `make test` takes of the end-to-end tests: the main job, a kill -9 in the
# middle of an apply, bad input, each cloud's life over simulated clouds, chaos for
# 40 seconds. They come last, alone: they keep real time.
SMOKE := TestScripts|TestFleetsFollowTheLoad|TestBrokenDescriptionChangesNothing|TestKilledDaemonLosesAndDoublesNothing/when_terraform_applies|TestEveryCloudFromNothingToNothing|TestEveryADT|TestChaos

# Packages that compute and start no goroutines: the race detector finds nothing in
# them, and makes them ten times slower.
PURE := ./optimizer/... ./scaler/backtest ./scaler/trace ./templates/... ./tfgen/...

test: ## all tests but most of the end-to-end ones and the longest; the race detector where goroutines are
	$(GO) test -short -timeout 15m $(PURE)
	$(GO) test -race -short -timeout 15m ./examples/... $$($(GO) list ./scaler/... | grep -v 'scaler/backtest\|scaler/trace') ./cmd/scalerctl ./cmd/scalerd
	$(GO) test -race -short -timeout 10m -run '$(SMOKE)' ./cmd

e2e: ## all of the real binaries: kill -9 at many moments, bad input, full disks
	$(GO) test -race -timeout 40m ./cmd

# How long `make chaos` lasts, its clouds, and where its states are: files, or pg.
MINUTES     ?= 5
SEED        ?= 1
CLOUD       ?= ec2,openstack,azure
STATES      ?= files

chaos: ## every fault there is under random orders, for MINUTES=5 with SEED=1 on CLOUD=...; then thousands of crashes in one process
	$(GO) test -count 1 -timeout $$(($(MINUTES) + 30))m -run 'TestChaos$$' -v ./cmd -chaos $(MINUTES)m -chaos-seed $(SEED) -chaos-clouds $(CLOUD) -chaos-states $(STATES)
	$(GO) test -count 1 -timeout $$((4 * $(MINUTES) + 30))m -run 'TestCrashedAnywhere' -v ./scaler -rapid.checks $$((350 * $(MINUTES))) -rapid.seed $(SEED)

soak: ## ten simulated days in minutes: memory, goroutines, open files, disk
	$(GO) test -count 1 -timeout 60m -run 'TestSoak$$' -v ./scaler -soak 10

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

# Terraform syncs its state to disk at every resource: TMPDIR on a memory file system
# measures the work and not the disk.
bench-scale: ## what a node more costs at 10, 100, 1000 and 10000 nodes, beside a single root module; 0 -> 1000
	$(GO) test -run '^$$' -bench 'BenchmarkScale' -benchtime 1x -timeout 3h ./cmd

# OpenTofu at the version that its own module pins, for the tests that run with both.
tofu: bin/tofu
bin/tofu: scaler/terraform/testdata/tofu/go.mod
	cd scaler/terraform/testdata/tofu && $(GO) build -trimpath -ldflags '-s -w -X github.com/opentofu/opentofu/version.dev=no' -o $(CURDIR)/bin/tofu github.com/opentofu/opentofu/cmd/tofu

# HashiCorp Vault at the version that its own module pins; -p 1 because it is large.
vault: bin/vault ## a real Vault for the tests of scaler/secrets: many minutes once
bin/vault: scaler/secrets/testdata/vault/go.mod
	cd scaler/secrets/testdata/vault && CGO_ENABLED=0 nice $(GO) build -p 1 -trimpath -tags minimal -ldflags '-s -w' -o $(CURDIR)/bin/vault github.com/hashicorp/vault

test-vault: bin/vault ## the keeper of credentials with a real Vault
	$(GO) test -count 1 -timeout 5m -run 'TestRealVault' -v ./scaler/secrets ./cmd

test-tofu: bin/tofu ## what runs terraform, with OpenTofu in its place
	ENGINE=tofu $(GO) test -timeout 15m ./scaler/terraform
	ENGINE=tofu $(GO) test -short -timeout 15m -run '$(SMOKE)' ./cmd

bench-decisions: build ## every built-in policy over every trace: cost, time over the limit, actions
	bin/scalerctl backtest $(if $(wildcard $(TRACES)),--suite $(TRACES)) --trace examples/traces/day.csv --hindsight $(VARIANT)

bench-optimizer: ## the optimizer beside scikit-learn on recorded samples, its decisions, its speed
	$(GO) test -count 1 -timeout 30m -run 'TestAgainstScikit|TestErrorOfTheDecision' -v ./optimizer
	$(GO) test -run '^$$' -bench . -benchmem ./optimizer/...

bench-api: ## status of 500 groups by 50 clients at once while the loop ticks; memory after junk
	$(GO) test -run TestJunkCostsBoundedMemory -v -bench StatusOf500Groups -benchtime 2000x -count 1 ./scaler/api

fuzz-api: ## hostile requests of every operation of the API's document, 100 each: SEED=1
	$(GO) test -count 1 -timeout 60m -run TestEveryAnswerIsAsTheDocumentSays -v ./scaler/api -fuzz-requests 100 -fuzz-seed $(SEED)

console-test: ## the console in headless Chromium, judged by axe-core (fetched with npm); SCREENSHOTS=DIR keeps pictures
	npm install --prefix bin --no-save --no-package-lock --no-audit --no-fund --silent $(AXE)
	$(GO) test -count 1 -v ./scaler/console/...
	$(GO) test -count 1 -v -run TestConsole ./cmd

demo: build ## the main job in three minutes; TRACE=FILE.csv drives it with your load
	bin/scalerd demo $(if $(TRACE),--trace $(TRACE))

dist: ## static stripped binaries, man pages, completions and a bill of materials in dist/
	rm -rf dist
	CGO_ENABLED=0 GOARCH=$(ARCH) $(GO) build -trimpath -buildvcs=false -ldflags '-s -w -buildid= -X github.com/scalerd/scalerd/scaler/api.release=$(VERSION)' -o dist/bin/ ./cmd/scalerd ./cmd/scalerctl
	mkdir -p dist/tools && $(GO) build -trimpath -buildvcs=false -ldflags '-X github.com/scalerd/scalerd/scaler/api.release=$(VERSION)' -o dist/tools/ ./cmd/scalerd ./cmd/scalerctl
	env -u SCALERD_SOCKET SOURCE_DATE_EPOCH=$(EPOCH) dist/tools/scalerd man dist/man/man8
	env -u SCALERD_SOCKET SOURCE_DATE_EPOCH=$(EPOCH) dist/tools/scalerctl man dist/man/man1
	gzip -9n dist/man/*/*
	mkdir -p dist/completions/bash dist/completions/zsh dist/completions/fish
	for c in scalerd scalerctl; do dist/tools/$$c completion bash > dist/completions/bash/$$c && \
	  dist/tools/$$c completion zsh > dist/completions/zsh/_$$c && dist/tools/$$c completion fish > dist/completions/fish/$$c.fish || exit 1; done
	rm -r dist/tools
	@mkdir -p $(TOOLS) && GOBIN=$(TOOLS) $(GO) install $(CYCLONEDX)
	for c in scalerd scalerctl; do $(TOOLS)/cyclonedx-gomod bin -json -noserial -version 'v$(VERSION)' dist/bin/$$c | \
	  sed 's/"timestamp": "[^"]*"/"timestamp": "'$$(date -u -d @$(EPOCH) +%Y-%m-%dT%H:%M:%SZ)'"/' > dist/$$c.cdx.json || exit 1; done

deb: dist ## the Debian package, dist/scalerd_VERSION_ARCH.deb
	GOBIN=$(TOOLS) $(GO) install $(NFPM)
	VERSION='$(VERSION)' ARCH=$(ARCH) SOURCE_DATE_EPOCH=$(EPOCH) $(TOOLS)/nfpm package -f templates/package/nfpm.yaml -p deb -t dist/

# A clone elsewhere gives the same bytes: nothing of this folder, this moment or what
# was not committed is in the package.
deb-check: deb ## two builds are the same; the package's life in a Debian of its own; as root, with debootstrap
	rm -rf dist/again && git clone -q . dist/again && $(MAKE) -C dist/again deb TOOLS=$(TOOLS) VERSION='$(VERSION)' ARCH=$(ARCH)
	cmp 'dist/scalerd_$(VERSION)_$(ARCH).deb' 'dist/again/dist/scalerd_$(VERSION)_$(ARCH).deb' && rm -rf dist/again
	VERSION='$(VERSION)+1' ARCH=$(ARCH) SOURCE_DATE_EPOCH=$(EPOCH) $(TOOLS)/nfpm package -f templates/package/nfpm.yaml -p deb -t dist/
	templates/package/check.sh 'dist/scalerd_$(VERSION)_$(ARCH).deb' 'dist/scalerd_$(VERSION)+1_$(ARCH).deb'

clean:
	rm -rf bin dist
