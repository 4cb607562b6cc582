# Everything works on a fresh machine with Go, git and make. Terraform (1.5 or
# newer) is taken from PATH, else fetched by scalerd itself.
GO          ?= go
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@2026.1
GOVULNCHECK := golang.org/x/vuln/cmd/govulncheck@v1.1.4
PACKAGES    := ./cmd/... ./examples/... ./scaler/... ./tfgen/...
TRACE       ?=

.PHONY: build test race lint bench demo clean

build: ## bin/scalerd and bin/scalerctl
	$(GO) build -trimpath -o bin/ ./cmd/scalerd ./cmd/scalerctl

test: ## all tests, with the race detector
	$(GO) test -race -timeout 15m $(PACKAGES)

race: ## all tests twice, for what happens only sometimes
	$(GO) test -race -count=2 -timeout 30m $(PACKAGES)

lint: ## gofmt, vet, staticcheck, and govulncheck where its database can be reached
	@test -z "$$(gofmt -l $$(git ls-files '*.go'))" || { echo "gofmt would change:"; gofmt -l $$(git ls-files '*.go'); exit 1; }
	$(GO) vet $(PACKAGES)
	$(GO) run $(STATICCHECK) $(PACKAGES)
	@$(GO) run $(GOVULNCHECK) $(PACKAGES) || echo "govulncheck could not run, or found something: see above"

bench: build ## figures of one tick and one step, side by side with bare terraform
	$(GO) test -run '^$$' -bench . -benchmem $(PACKAGES)

demo: build ## the main job in three minutes; TRACE=FILE.csv drives it with your load
	bin/scalerd demo $(if $(TRACE),--trace $(TRACE))

clean:
	rm -rf bin dist
