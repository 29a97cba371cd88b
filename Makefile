# `make run` and `make test` need Python 3.11 or newer and nothing else; the rest is fetched once, pinned by hash.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
TEST_HOME := $(CURDIR)/.cache/test-home
PORT ?= 8000
.DEFAULT_GOAL := help
.PHONY: help run test check fmt docs bench lock clean

help: ## Show this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1\t/' | expand -t 16

run: $(VENV)/run.stamp ## Start the server, with the small demo model, on http://127.0.0.1:8000
	@$(BIN)/llms local install || echo "Going on without the demo model."
	@$(BIN)/llms --serve $(PORT)

test: $(VENV)/dev.stamp ## Run every test
	@LLMS_HOME=$(TEST_HOME) $(BIN)/llms local install
	LLMS_TEST_MODELS=$(TEST_HOME)/models $(BIN)/python -m pytest $(ARGS)

check: $(VENV)/dev.stamp ## Formatting, lint, types, import rule, docs
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m llms.cli.reference --check
	$(BIN)/python -m llms.host.reference --check
	$(BIN)/mkdocs build --strict --quiet --site-dir .cache/site

fmt: $(VENV)/dev.stamp ## Format the code and regenerate reference pages
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .
	$(BIN)/python -m llms.cli.reference
	$(BIN)/python -m llms.host.reference

docs: $(VENV)/dev.stamp ## Read the documentation at http://127.0.0.1:8001
	$(BIN)/mkdocs serve --dev-addr 127.0.0.1:8001

bench: $(VENV)/dev.stamp ## Measure the gateway against a bare proxy
	$(BIN)/python -m bench.gateway $(ARGS)

lock: ## Pin newer versions of what we depend on
	$(PYTHON) -m venv .cache/lock && .cache/lock/bin/pip install --quiet uv
	.cache/lock/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --upgrade \
	  pyproject.toml --group build -o requirements/run.txt
	.cache/lock/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --upgrade \
	  pyproject.toml --group dev -o requirements/dev.txt

clean: ## Remove everything that was fetched or built here
	rm -rf llms/extensions/katex/ui/katex.* llms/extensions/katex/ui/fonts ui-build/stamp.json
	rm -rf $(VENV) .cache dist site .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "llms needs Python 3.11 or newer. Install it, then name it: make run PYTHON=python3.12"; exit 1; }
	@echo "Making a virtual environment in $(VENV)."
	@$(PYTHON) -m venv $(VENV) || \
	  { rm -rf $(VENV); echo "That needs the venv module. On Debian or Ubuntu: apt install python3-venv"; exit 1; }

$(VENV)/%.stamp: requirements/%.txt pyproject.toml hatch_build.py ui-build/package-lock.json | $(BIN)/python
	@echo "Installing what $* needs (once)."
	@$(PIP) install --quiet --require-hashes -r $< && $(PIP) install --quiet --no-deps --no-build-isolation -e . || \
	  { echo "Installing failed: see above. It needs the network, this once; then run make again."; exit 1; }
	@touch $@
