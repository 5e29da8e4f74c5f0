# mcphub: `make run` starts a hub, `make test` tests everything. Both work on a fresh machine with Go.
export CGO_ENABLED ?= 0
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
COMMIT  ?= $(shell git rev-parse --short HEAD 2>/dev/null)
LDFLAGS  = -s -w -X main.version=$(VERSION) -X main.commit=$(COMMIT)
MCPM_LDFLAGS = -s -w -X github.com/mcphub/mcphub/internal/cli/app.Version=$(VERSION)
# Gin would bring codecs of MessagePack that nobody calls: 9 MB of the hub.
TAGS     = nomsgpack
FUZZTIME ?= 20s

.PHONY: help run build test unit race e2e services stop-services lint bench generate man fuzz cross

help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*##/\t/' | expand -t 16

run: build ## build both programs into bin/ and start a hub on http://localhost:8080
	bin/mcphub serve

build: ## build bin/mcphub and bin/mcpm
	@mkdir -p bin
	go build -trimpath -tags '$(TAGS)' -ldflags '$(LDFLAGS)' -o bin/mcphub ./cmd/mcphub
	go build -trimpath -ldflags '$(MCPM_LDFLAGS)' -o bin/mcpm ./cmd/mcpm

test: services ## everything: unit, conformance and end-to-end tests, with real services where they can be had
	@eval "$$(scripts/services.sh env)"; go test -timeout 30m ./...

unit: ## what needs nothing but Go
	go test $$(go list ./... | grep -v /e2e)

race: ## unit and conformance tests under the race detector (needs a C compiler)
	@eval "$$(scripts/services.sh env)"; CGO_ENABLED=1 go test -race -timeout 30m $$(go list ./... | grep -v -e /e2e -e /bench)

e2e: services ## the built programs, as people use them
	@eval "$$(scripts/services.sh env)"; go test -timeout 30m -v ./e2e/

services: ## install if absent and start what tests need, under .cache/
	@scripts/services.sh start

stop-services: ## stop what `make services` started
	@scripts/services.sh stop

lint: ## gofmt, vet, staticcheck
	@test -z "$$(gofmt -l $$(git ls-files '*.go'))" || { gofmt -l $$(git ls-files '*.go'); exit 1; }
	go vet ./...
	go tool staticcheck ./...

bench: services ## load against the hub, a bare net/http handler and the official registry, in one run
	@eval "$$(scripts/services.sh env)"; go run ./bench $(BENCH)

generate: ## make generated files anew: pages, schema, references, and with Node the style
	go generate ./...
	@# npm ci refuses a lock without the packages of other systems, which npm leaves out of it
	@if command -v npm >/dev/null; then cd internal/web/style && npm install --no-save --silent --no-audit --no-fund && node build.js; \
	else echo "no npm: internal/web/static/assets stay as they are"; fi

man: ## write the manual pages of mcpm into bin/man, for packages
	@mkdir -p bin/man
	go run ./docs/reference man bin/man

fuzz: ## run each fuzz target for FUZZTIME
	scripts/fuzz.sh $(FUZZTIME)

cross: ## build both programs for every system
	@for os in linux darwin windows; do for arch in amd64 arm64; do \
		echo "$$os/$$arch"; GOOS=$$os GOARCH=$$arch go build -o /dev/null ./cmd/mcphub && GOOS=$$os GOARCH=$$arch go build -o /dev/null ./cmd/mcpm || exit 1; \
	done; done
