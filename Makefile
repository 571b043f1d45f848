# Two commands matter: `make run` opens the app on the embedded demo, `make test` runs every test.
# Each target makes .venv and installs into it what it needs, once.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ARGS ?=
WORKERS ?= 2

WEB := tools/web/node_modules
PRETTIER := $(WEB)/.bin/prettier --config tools/web/prettier.json --log-level warn
SCRIPTS := 'assets/web/**/*.{js,css}' '!assets/web/libraries/**'
# the checks of assets/web are left out where Node.js is missing or too old for them; the app needs none
NODE := $(shell node -e 'const [a, b] = process.versions.node.split("."); process.exit(a > 20 || (a == 20 && b >= 19) ? 0 : 1)' 2>/dev/null && echo yes)

.PHONY: help run test check lint lint-web fix libraries bench soak screenshots clean

help:
	@echo "make run    install and open the app on the embedded demo (ARGS='--port 7861 --data-root DIR')"
	@echo "make test   install and run every test (browser tests need Chromium; ARGS='tests/ui -k table' runs these only)"
	@echo "make check  lint, format, types, import contracts, unit tests"
	@echo "make lint   the same without the tests"
	@echo "make fix    mend what lint and format can mend"
	@echo "make bench  run all benchmarks (half an hour; ARGS='selection --json' runs one)"
	@echo "make soak   break files, stores and disks, let many visitors in, kill what runs and what writes, set the clock (almost four hours; ARGS='stores' runs one)"
	@echo "make libraries  copy plotly.js as tools/web/package.json names it; its version is the one of Python's plotly"
	@echo "make screenshots  take the pictures in docs/screenshots anew"
	@echo "make clean  remove .venv and caches"

run: $(VENV)/.app
	$(BIN)/python app.py $(ARGS)

# Without ARGS: a file of tests at a time on each of WORKERS processes, in the order of their names, so that the short ones
# in tests/unit come last and no process waits long for another; those in a browser after the others; then, one after
# another, those that start several processes and would wait for a core beside others. Each part runs, whatever comes of
# the one before.
ifeq ($(strip $(ARGS)),)
test: $(VENV)/.dev
	@failed=0; \
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder -m "not alone" --ignore tests/browser || failed=1; \
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder tests/browser || failed=1; \
	$(BIN)/python -m pytest -m alone --ignore tests/browser || failed=1; \
	exit $$failed
else
test: $(VENV)/.dev
	$(BIN)/python -m pytest $(ARGS)
endif

check: lint
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile tests/unit -m "not slow"

lint: $(VENV)/.dev lint-web
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy --num-workers $(WORKERS)
	PYTHONPATH=. $(BIN)/lint-imports --no-cache

ifdef NODE
lint-web: $(WEB)/.made
	$(WEB)/.bin/eslint --config tools/web/eslint.config.js assets/web
	$(PRETTIER) --check $(SCRIPTS)
else
lint-web:
	@echo "assets/web is not checked: Node.js 20.19 or newer is missing" >&2
endif

fix: $(VENV)/.dev $(if $(NODE),$(WEB)/.made)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(if $(NODE),$(PRETTIER) --write $(SCRIPTS))

libraries: $(WEB)/.made
	cp $(WEB)/plotly.js-cartesian-dist-min/plotly-cartesian.min.js assets/web/libraries/

bench: $(VENV)/.app
	$(BIN)/python -m benchmarks $(ARGS)

SOAKS := $(if $(strip $(ARGS)),$(ARGS),files stores disks clients kills models checkpoints clock curation writes)
soak: $(VENV)/.dev
	@failed=0; for name in $(SOAKS); do $(BIN)/python -m tools.soak $$name || failed=1; done; exit $$failed

screenshots: $(VENV)/.dev
	$(BIN)/python docs/take_screenshots.py $(ARGS)

clean:
	rm -rf $(VENV) $(WEB) .pytest_cache .mypy_cache .ruff_cache .import_linter_cache

$(BIN)/python:
	@$(PYTHON) -c 'import sys; v = sys.version_info; v >= (3, 11) or sys.exit(f"Python 3.11 or newer is needed, {sys.executable} is {v[0]}.{v[1]}; name another: make run PYTHON=python3.12")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.app: requirements.txt | $(BIN)/python
	$(BIN)/python -m pip install --disable-pip-version-check -q -r requirements.txt
	@touch $@

$(VENV)/.dev: requirements.txt requirements-dev.txt requirements-templates.txt | $(BIN)/python
	$(BIN)/python -m pip install --disable-pip-version-check -q -r requirements-dev.txt
	$(BIN)/python -m pip install --disable-pip-version-check -q --no-deps -r requirements-templates.txt
	@touch $@ $(VENV)/.app

$(WEB)/.made: tools/web/package-lock.json
	npm ci --prefix tools/web --no-audit --no-fund --loglevel error
	@touch $@
