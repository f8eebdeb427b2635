# Everything a person or a robot runs here. Needs Python 3.11+, pip, git and make; the rest is fetched into the checkout.

PYTHON ?= python3
UV := .tools/uv/bin/uv
BIN := .venv/bin
export UV_PYTHON_DOWNLOADS := never

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

.PHONY: help
help:  ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

##@ Run

.PHONY: demo
demo: .venv/run.stamp  ## a first login: provider, two apps and a mailbox (PORT_BASE=19000 moves the ports, RESET=1 starts afresh)
	@exec $(BIN)/python -m demo_apps $(if $(PORT_BASE),--port-base $(PORT_BASE)) $(if $(RESET),--reset)

##@ Verify

.PHONY: test
test: .venv/dev.stamp  ## the whole suite (T=path for a part; REQUIRE_ALL=1 turns missing services into failures)
	@$(BIN)/python $(if $(T),-m pytest $(T),scripts/suite.py)

.PHONY: check
check: .venv/dev.stamp  ## format, lint, types, import rules, generated docs, migrations
	@PATH="$(CURDIR)/$(BIN):$$PATH" ./scripts/check.sh

.PHONY: format
format: .venv/dev.stamp  ## write the formatting and the safe fixes
	@$(BIN)/ruff format . && $(BIN)/ruff check --fix .

.PHONY: bench
bench: .venv/dev.stamp  ## the benchmarks, as ratios to peers and raw limits in one run
	@$(BIN)/python -m bench

.PHONY: docs
docs: .venv/dev.stamp  ## write the generated reference pages
	@$(BIN)/python scripts/reference.py

##@ Maintain

.PHONY: lock
lock: $(UV)  ## write the hash-pinned locks anew (UPGRADE=1 takes newer versions)
	@./scripts/lock.sh

.PHONY: clean
clean:  ## forget the environments and caches
	@rm -rf .venv .tools .mypy_cache .ruff_cache .pytest_cache .import_linter_cache

# Debian refuses a plain `pip install` and may lack venv: pip puts uv into a folder here, and uv makes the environment.
$(UV): locks/uv.txt
	@$(PYTHON) -c 'import sys; sys.exit(None if sys.version_info >= (3, 11) else \
		"Python 3.11 or newer is needed; PYTHON=/path/to/python3.11 names one")'
	@$(PYTHON) -m pip install --quiet --disable-pip-version-check --no-warn-script-location --root-user-action=ignore \
		--require-hashes --upgrade --target .tools/uv -r locks/uv.txt
	@touch $@

.venv/bin/python: | $(UV)
	@$(UV) venv --quiet --allow-existing --python "$$(command -v $(PYTHON))" .venv

SOURCES := provider/pyproject.toml middleware/pyproject.toml
# Compiled once here: the suite starts hundreds of processes, and some machines forbid Python to write bytecode.
SYNC := $(UV) pip sync --quiet --compile-bytecode --python .venv --require-hashes
EDITABLE := $(UV) pip install --quiet --python .venv --no-deps -e provider -e middleware

.venv/dev.stamp: locks/dev.txt $(SOURCES) | .venv/bin/python
	@$(SYNC) locks/dev.txt
	@$(EDITABLE)
	@touch $@

# The demo needs less; once the tools of the suite are there, their environment serves it too.
ifneq ($(wildcard .venv/dev.stamp),)
.venv/run.stamp: .venv/dev.stamp
else
.venv/run.stamp: locks/run.txt $(SOURCES) | .venv/bin/python
	@$(SYNC) locks/run.txt
	@$(EDITABLE)
endif
	@touch $@
