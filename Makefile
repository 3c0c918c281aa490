# Allowance. `make help` lists what there is. A stamp file remembers each installation, so that the next
# `make run` starts at once.
.DEFAULT_GOAL := help
.SUFFIXES:
MAKEFLAGS += --no-print-directory
# The tests start hundreds of processes: without compiled files each of them compiles the whole program.
unexport PYTHONDONTWRITEBYTECODE

VENV := .venv
BIN := $(VENV)/bin
ARGS ?=
TESTS ?=
VERSION ?=
# Three workers on two cores, because many tests wait for real time; with more they would compete for the cores.
JOBS ?= 3
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet

.PHONY: help run dev test test-long coverage lint format bench soak soak-writer memory fuzz sessions engine harness browsers long pictures mutation docs messages release clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-9s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: $(VENV)/.runs ## install what is needed and start the proxy (ARGS="--listen 127.0.0.1:8080")
	@exec $(BIN)/allowance run $(ARGS)

dev: $(VENV)/.develops ## install what the tests need

test: $(VENV)/.develops ## all tests (TESTS=tests/core for some, JOBS=0 for one after the other)
	@mkdir -p artifacts
	@exec $(BIN)/python -m pytest -n $(JOBS) --dist loadfile --no-loadscope-reorder --junitxml=artifacts/tests.xml $(TESTS)

# The folders whose tests run in this process. What a child process does is not counted, so runtime/ looks worse than
# it is. In the core a floor of 99 for lines and branches together leaves no room below 95 for the branches alone.
FAST ?= $(filter-out $(addprefix tests/,e2e browser faults dashboards docs deploy fuzz benchmarks tools traces architecture),\
	$(patsubst %/,%,$(wildcard tests/*/)))

coverage: $(VENV)/.develops ## lines and branches that the fast tests reach, with floors; some four minutes
	@$(BIN)/python -m pytest -n $(JOBS) --dist loadfile --cov --cov-report= $(FAST)
	@$(BIN)/coverage report --include='proxy_addon/core/*' --fail-under=99
	@$(BIN)/coverage report

lint: $(VENV)/.develops ## style, format, types and import rules
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

format: $(VENV)/.develops ## put every file into its form
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

BENCH ?= $(wildcard tests/benchmarks/bench_*.py)
bench: $(VENV)/.develops ## the budgets: decisions, hooks, start, throughput (BENCH=FILE for one, with ARGS)
	@set -e; for each in $(BENCH); do echo "== $$each"; PYTHONPATH=. $(BIN)/python $$each $(ARGS); done

soak: $(VENV)/.develops ## kill proxies under load, 200 times: an hour (ARGS="--kills 20 --seed 1", "--file soak.jsonl" to go on)
	@$(BIN)/python -m tests.faults.soak $(ARGS)

soak-writer: $(VENV)/.develops ## the same for the writer of the ledger alone: some ten minutes, a hundred kills
	@$(BIN)/python -m tests.faults.harness --long $(ARGS)

memory: $(VENV)/.develops ## what a proxy holds in a week of people who come and go: an hour (ARGS="--minutes 15 --people 60")
	@$(BIN)/python -m tests.benchmarks.week_of_memory $(ARGS)

fuzz: $(VENV)/.develops ## heads and greetings that no two readers may read differently; a minute (ARGS="--inputs 1000000 --seed 2")
	@PYTHONPATH=. $(BIN)/python tests/fuzz/fuzz_light_path.py $(ARGS)

sessions: $(VENV)/.develops ## record a session of real software in Chromium; some twenty minutes (ARGS="--seed 3 --minutes 3 --people hls,forum")
	@$(BIN)/python -m tests.real_sessions.record $(ARGS)

harness: $(VENV)/.develops ## the short form of the benchmark against mitmdump and Squid, all of it; two minutes
	@BENCHMARK=whole $(BIN)/python -m pytest tests/benchmarks/test_load.py

engine: $(VENV)/.develops ## the end-to-end tests without the light path; some four minutes
	@TEST_LIGHT_PATH=off $(BIN)/python -m pytest -n $(JOBS) --dist loadfile tests/e2e

browsers: $(VENV)/.develops ## every page in Chromium and Firefox, in every size and look; three minutes
	@TEST_BROWSERS=whole $(BIN)/python -m pytest -n 2 --dist loadfile tests/browser

pictures: $(VENV)/.develops ## pictures of every page, for people to look at (ARGS="firefox ask")
	@$(BIN)/python -m tests.browser.pictures $(ARGS)

long: $(VENV)/.develops ## tests marked as long: the image without an engine, second ways through; three minutes
	@TEST_LONG=1 $(BIN)/python -m pytest -n 2 --dist loadfile -m long

test-long: coverage mutation soak soak-writer memory fuzz engine harness browsers long ## what takes long: coverage with floors, mutation, faults, fuzzing, no light path

mutation: $(VENV)/.develops ## change the code in small ways and count what the tests notice (ARGS="--sample 60 --seed 2")
	@PYTHONPATH=. $(BIN)/python -m tests.tools.mutation $(ARGS)

docs: $(VENV)/.develops ## the pages that are made from the program: settings, command line, metrics
	@set -e; for each in settings cli metrics; do $(BIN)/python -m tests.tools.$${each}_reference; done

messages: $(VENV)/.develops ## the catalogues of translations, brought up to date with the program; lists what is missing
	@$(BIN)/python -m tests.tools.messages

release: $(VENV)/.develops ## check that a version can be released, then tag it (VERSION=x.y.z); nothing is pushed
	@$(BIN)/python deploy/release.py $(VERSION)

clean: ## remove what was made, but not var/ (the CA and the minutes)
	rm -rf $(VENV) .coverage artifacts build *.egg-info .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis

$(VENV)/.made:
	@python=$$(sh .ci/find-python) && echo "Making $(VENV) with $$python" && "$$python" -m venv $(VENV)
	@touch $@

$(VENV)/.runs: $(VENV)/.made requirements.lock pyproject.toml
	@echo "Installing (once)"
	@$(PIP) --require-hashes -r requirements.lock
	@$(PIP) --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.develops: $(VENV)/.made requirements-dev.lock pyproject.toml
	@echo "Installing with what the tests need (once)"
	@$(PIP) --require-hashes -r requirements-dev.lock
	@$(PIP) --no-deps --no-build-isolation -e .
	@touch $@ $(VENV)/.runs
