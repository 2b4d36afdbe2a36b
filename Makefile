# Everything runs in an environment of its own, .venv, made on the first call and again when pyproject.toml changes.
# Another interpreter: make PYTHON=python3.13 regressions

PYTHON ?= python3
VENV   ?= .venv
WORKERS ?= auto
BIN     = $(VENV)/bin
STAMP  := $(VENV)/installed-$(shell $(PYTHON) -c 'import sys; print("%d.%d.%d" % sys.version_info[:3])' 2>/dev/null)
ENGINES = engine-autograd engine-jax engine-mygrad engine-tensorflow engine-torch
PYTEST  = $(BIN)/python -m pytest

.PHONY: help regressions matrix test lint types tests bisect-proof bisect-releases bench-quick bench nightly \
	nightly-proof clean $(ENGINES)
.DEFAULT_GOAL := help

help:
	@echo "make regressions   every pinned bug on the reference engine"
	@echo "make engine-NAME   an environment for autograd, jax, mygrad, tensorflow or torch, which pytest --engine NAME asks"
	@echo "make matrix        every bug on every engine, in several releases, which it installs: a table, build/matrix.html"
	@echo "                   and .json; make matrix ARGS=--installed asks only what is there"
	@echo "make test          format, lint, types, doctests and every test: what CI runs"
	@echo "make bisect-proof      planted breaks of every kind at every position of a history; minutes"
	@echo "make bisect-releases   known fixes of other packages found again, with the package index; minutes"
	@echo "make bench         derivatives of the engine beside those written by hand"
	@echo "make bench-quick   the exact counters of every workload and the controls, by asv, nothing saved"
	@echo "make nightly       the commits since the last time: measured by asv, charted in .asv/html, and what became slower"
	@echo "make nightly-proof     nights without a change, also under load, and planted regressions; an hour"
	@echo "make clean         remove the environment and everything generated"

engine-autograd engine-jax engine-mygrad engine-tensorflow engine-torch: $(STAMP)
	@$(BIN)/python -m regressions install $(@:engine-%=%)

regressions: $(STAMP)
	@$(PYTEST) -q -n $(WORKERS) --bite regressions/test_cases.py

matrix: $(STAMP)
	@$(BIN)/python -m regressions matrix --html build/matrix.html --json build/matrix.json $(ARGS)

test: lint types tests

lint: $(STAMP)
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --check .

types: $(STAMP)
	@$(BIN)/mypy

tests: $(STAMP)
	@$(PYTEST) -q -n $(WORKERS) --bite --conformance --doctest-modules engine benchmarks regressions

bisect-proof: $(STAMP)
	@GRADPIN_PROOF=1 $(PYTEST) -q -n $(WORKERS) regressions/conformance/test_bisect.py \
		regressions/conformance/test_bisect_proof.py regressions/conformance/test_passes.py \
		regressions/conformance/test_slower.py

bisect-releases: $(STAMP)
	@GRADPIN_NETWORK=1 $(PYTEST) -q regressions/conformance/test_releases.py

bench: $(STAMP)
	@$(BIN)/python -m benchmarks compare --engine reference

bench-quick: $(STAMP)
	@$(BIN)/asv machine --yes >/dev/null
	@$(BIN)/asv run --python=same --quick --dry-run --show-stderr --bench "^(calls|controls)\."

nightly: $(STAMP)
	@$(BIN)/python -m benchmarks nightly $(ARGS)

nightly-proof: $(STAMP)
	@GRADPIN_PROOF=1 $(PYTEST) -q -s --conformance regressions/conformance/test_nightly_proof.py

$(STAMP): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "gradpin needs Python 3.11 or newer; name one with make PYTHON=..." >&2; exit 1; }
	@echo "making $(VENV) with $$($(PYTHON) --version)" >&2
	@$(PYTHON) -m venv --clear $(VENV)
	@$(BIN)/python -m pip install -qq --disable-pip-version-check -e '.[dev]'
	@touch $@

clean:
	rm -rf $(VENV) .asv .benchmarks .pytest_cache .mypy_cache .ruff_cache .hypothesis build *.egg-info
