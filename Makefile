# The three things to do with a clone: make setup, make run, make test. Everything lands in .venv and .payhub.

SHELL := /bin/sh
.DEFAULT_GOAL := help
.PHONY: help setup run test clean

VENV := .venv
BIN := $(VENV)/bin
# Any newer one will do; the newest with wheels for everything comes first.
PYTHONS := python3.13 python3.12 python3.11 python3
NODE_MAJOR_MIN := 20
CLIENT := clients/js
CLIENT_SOURCES := $(shell [ -d $(CLIENT) ] && find $(CLIENT) -type f \
	-not -path '*/node_modules/*' -not -path '*/dist/*' -not -path '*/build/*' -not -path '*/.*')

help: ## show this
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' Makefile

setup: $(VENV)/ready $(if $(wildcard $(CLIENT)/package.json),$(VENV)/client-ready) ## install everything into .venv and build the client (once)

run: setup ## run a whole Payhub here; Ctrl-C stops it
	@exec $(BIN)/payhub run

test: setup ## check style, types, imports and behaviour
	@echo "style"; $(BIN)/ruff check -q . && $(BIN)/ruff format -q --check .
	# Both take one core: side by side they take two.
	@echo "types, imports, client"; ($(BIN)/mypy && $(BIN)/lint-imports --no-cache) & checks=$$!; \
	(cd $(CLIENT) && npm test --silent); client=$$?; wait $$checks && [ $$client -eq 0 ]
	# Many tests wait for a moment to pass: three at a time keep two cores busy. Whoever is done takes from the others.
	@echo "behaviour"; $(BIN)/python -m pytest -n 3 --dist worksteal

clean: ## remove what setup made; the data in .payhub stays
	@rm -rf $(VENV) $(CLIENT)/node_modules $(CLIENT)/dist $(CLIENT)/build

$(VENV)/ready: pyproject.toml
	@for python in $(PYTHONS); do \
	  if $$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then found=$$python; break; fi; \
	done; \
	if [ -z "$${found:-}" ]; then \
	  echo "Payhub needs Python 3.11 or newer: install python3.11 (or newer) and run make again." >&2; exit 1; \
	fi; \
	if ! $$found -c 'import venv, ensurepip' 2>/dev/null; then \
	  echo "$$found lacks venv: install it (on Debian: apt install python3-venv) and run make again." >&2; exit 1; \
	fi; \
	if [ ! -e pyproject.toml ] || ! [ -w . ]; then \
	  echo "This folder cannot be written to: clone Payhub where you may write." >&2; exit 1; \
	fi; \
	echo "Installing Payhub with $$($$found -V) into $(VENV), about a minute…"; \
	$$found -m venv $(VENV) && $(BIN)/python -m pip install -q --disable-pip-version-check -e '.[aws,dev,loadtest]'
	@touch $@

$(VENV)/client-ready: $(VENV)/ready $(CLIENT_SOURCES)
	@major=$$(node -p 'process.versions.node.split(".")[0]' 2>/dev/null || echo 0); \
	if [ "$$major" -lt $(NODE_MAJOR_MIN) ] || ! command -v npm >/dev/null; then \
	  echo "The client needs Node.js $(NODE_MAJOR_MIN) or newer with npm: install it and run make again." >&2; exit 1; \
	fi; \
	echo "Building the client, half a minute…"; \
	cd $(CLIENT) && npm ci --silent --no-audit --no-fund && npm run --silent build
	@touch $@
