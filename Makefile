# The words people type. Everything that is made lives in .venv and .state; `make clean` removes .state.

PYTHON ?= /usr/bin/python3
VENV := .venv
PY := $(VENV)/bin/python
export DEMO_STATE ?= $(CURDIR)/.state

.DEFAULT_GOAL := help
.PHONY: help demo demo-up demo-down demo-status run admin test test-fast test-long lint bench clean lock

help:  ## this list
	@sed -n 's/^\([a-z-]*\):.*## */\1\t/p' $(MAKEFILE_LIST) | expand -t 14

demo: demo-packages $(VENV)/run.stamp  ## console and two storage nodes, in the foreground; Ctrl-C stops all of it
	@$(PY) -m demo demo

demo-up: demo-packages $(VENV)/run.stamp  ## the same in the background
	@$(PY) -m demo up

demo-down:  ## stop it
	@test ! -x $(PY) || $(PY) -m demo down

demo-status: $(VENV)/run.stamp  ## what runs, as JSON
	@$(PY) -m demo status

run: run-packages $(VENV)/run.stamp  ## the console for real nodes; DATABASE_URL and REDIS_URL choose PostgreSQL and Redis
	@$(PY) -m demo run

admin: $(VENV)/run.stamp  ## make an administrator of the console that `make run` starts
	@$(PY) -m demo manage --real createsuperuser

test: test-packages $(VENV)/dev.stamp  ## everything: lint, types, imports, deployment checks, all tests
	@$(PY) -m demo.check

test-fast: fast-packages $(VENV)/dev.stamp  ## the part that needs no guest
	@$(PY) -m demo.check --fast

test-long: test-packages $(VENV)/dev.stamp  ## the rest of the tests on nodes: the better part of an hour
	@$(PY) -m demo.check --long

lint: $(VENV)/dev.stamp  ## lint, types, imports, deployment checks; no tests
	@$(PY) -m demo.check --lint

bench: demo-packages $(VENV)/run.stamp  ## the speed of the demo beside the bare commands
	@$(PY) -m demo.bench

clean: demo-down  ## remove the demo, its guests and the node image
	rm -rf --one-file-system $(DEMO_STATE) || sudo rm -rf --one-file-system $(DEMO_STATE)

lock: $(VENV)/dev.stamp  ## resolve the versions anew (all of them: make lock UPGRADE=--upgrade)
	$(VENV)/bin/uv pip compile --quiet $(UPGRADE) --generate-hashes --no-header --no-emit-index-url \
		pyproject.toml --output-file requirements.lock
	$(VENV)/bin/uv pip compile --quiet $(UPGRADE) --generate-hashes --no-header --no-emit-index-url --extra dev \
		--constraints requirements.lock pyproject.toml --output-file requirements-dev.lock

.PHONY: run-packages demo-packages test-packages fast-packages
run-packages: ; @demo/packages.sh run
demo-packages: ; @demo/packages.sh run demo
test-packages: ; @demo/packages.sh run demo test
fast-packages: ; @demo/packages.sh run test

$(VENV)/bin/python: | run-packages
	@echo "Making the Python environment" >&2
	@$(PYTHON) -m venv $(VENV)

$(VENV)/run.stamp: requirements.lock | $(VENV)/bin/python
	@echo "Installing Python packages" >&2
	@$(PY) -m pip install -qq --disable-pip-version-check --require-hashes --requirement $<
	@touch $@

$(VENV)/dev.stamp: requirements-dev.lock | $(VENV)/bin/python
	@echo "Installing Python packages for tests" >&2
	@$(PY) -m pip install -qq --disable-pip-version-check --require-hashes --requirement $<
	@touch $@ $(VENV)/run.stamp
