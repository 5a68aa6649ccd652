# Everything stays inside this folder: the virtual environment in .venv, data and logs in .state.
# All paths are relative, so that the folder may be anywhere, also where its path has a space.

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help setup demo dev lint audit unit integration test chromium fuzz-diff types conformance mutation bench bench-diff constraints clean

PY := .venv/bin/python
# Chromium keeps a folder below these, whatever its profile: here and not in the home folder.
PYTEST := XDG_CONFIG_HOME="$(CURDIR)/.state/xdg" XDG_CACHE_HOME="$(CURDIR)/.state/xdg" $(PY) -m pytest --basetemp=.state/pytest
READY := .venv/.ready
# The tests of the UI mostly wait for Dagster's daemon: beside them others run, the slowest files first.
WORKERS ?= 3
export PYTHON
export DAGSTER_DISABLE_TELEMETRY := 1
export COVERAGE_FILE := .state/coverage

help: ## list what can be made
	@sed -nE 's/^([a-z-]+):.*## (.*)/  make \1|\2/p' Makefile | awk -F'|' '{ printf "%-20s %s\n", $$1, $$2 }'

setup: $(READY) ## make the virtual environment with the pinned packages

$(READY): pyproject.toml constraints.txt
	@.ci/setup

demo: $(READY) ## the whole story on real data, then the UI; EXIT=1 ends instead
	@.venv/bin/reconcile-assets demo $(if $(EXIT),--exit)

dev: $(READY) ## Dagster UI and daemon for the configured tables
	@.venv/bin/reconcile-assets dev

lint: $(READY) ## style, types, layers, security
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy
	.venv/bin/lint-imports
# Below medium, bandit finds what ruff's S rules find, and those have their reasons in the code.
	$(PY) -m bandit --quiet --recursive --severity-level medium --configfile pyproject.toml reconcile_assets

audit: $(READY) ## known vulnerabilities of the installed packages
	@$(PY) .ci/audit.py

unit: $(READY) ## unit and property tests without sockets; they alone cover 90 % of the core
	@mkdir -p .state
	$(PYTEST) reconcile_assets_tests/unit reconcile_assets_tests/property --cov --cov-report=
	$(PY) -m coverage report --include='reconcile_assets/core/*' --fail-under=90

integration: $(READY) chromium ## tests on real databases and of the UI in a browser; with the unit tests before they cover 80 %
	$(PYTEST) -n $(WORKERS) --dist loadfile reconcile_assets_tests/e2e reconcile_assets_tests/guards reconcile_assets_tests/integration \
	  --cov --cov-append --cov-fail-under=80

test: lint audit unit integration ## lint, audit and every test

chromium:
	@.ci/chromium

fuzz-diff: $(READY) ## 1,000 seeded random tables on every pair of engines against an oracle; SEEDS=N for another number
	FUZZ_SEEDS=$(or $(SEEDS),1000) $(PYTEST) --quiet reconcile_assets_tests/integration/comparison/test_engine_oracle.py

types: $(READY) ## write docs/types.md: every engine's types, and how every pair of kinds is compared
	@$(PY) -m reconcile_assets_tests.conformance.types_page

conformance: $(READY) ## every case on every pair of engines, beside reladiff and datacompy: docs/conformance.md (an hour; needs MariaDB)
	@.ci/peers
	@$(PY) -m reconcile_assets_tests.conformance --peers .state/peers/bin/python --jobs $(or $(JOBS),2)

mutation: $(READY) ## mutation testing of core/canonical, tolerance and compare: 85 % must be killed (an hour; goes on where it was interrupted)
	@.ci/mutation

bench: $(READY) ## measure cost per partition, rows per second, start times; nothing passes or fails
	@$(PYTEST) --quiet $$(ls reconcile_assets_tests/benchmarks/measure_*.py)

bench-diff: $(READY) ## diff beside reladiff and the bare digest, 1 and 3 million rows: docs/benchmarks.md (20 minutes); ROWS=N for another size, DATABASE_URL for another server
	@.ci/peers
	@$(PY) -m reconcile_assets_tests.benchmarks.bench_diff --reladiff .state/peers/bin/reladiff \
	  $(if $(ROWS),--rows $(ROWS),--page docs/benchmarks.md --picture docs/images/diff-growth.svg)

constraints: ## pin anew: the newest versions that pyproject.toml allows
	$(PY) -m venv --clear .state/pins
	.state/pins/bin/python -m pip install --disable-pip-version-check --quiet '.[test]'
	.state/pins/bin/python -m pip freeze --exclude reconcile-assets --exclude pip --exclude setuptools > constraints.txt
	rm -rf .state/pins build

clean: ## remove the virtual environment and all data
	rm -rf .venv .state build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
