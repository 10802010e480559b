# `make demo` and `make test` need only Python >= 3.11 and make; they build their own environment in .venv.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
OUT ?= out/demo

.PHONY: demo test test-slow fuzz coverage docs accessibility lint types keys clean

demo: $(VENV)/.installed
	$(BIN)/corundum run examples/quickstart.toml -o $(OUT)

# Each of two workers takes one half of the tests in their order: what a file compiles is compiled once.
test: $(VENV)/.installed-dev
	$(BIN)/python -m pytest -n 2 --dist worksteal -m "not slow"

# Long computations are worth optimised machine code, which the other tests do without (tests/conftest.py).
test-slow: $(VENV)/.installed-dev
	XLA_FLAGS=--xla_backend_extra_options=xla_cpu_disable_new_fusion_emitters,xla_cpu_disable_loop_unrolling \
	$(BIN)/python -m pytest -n 2 -m slow

# Random faults in files of every tree format, with new examples until the minutes are over; each round prints its seed.
MINUTES ?= 30
fuzz: $(VENV)/.installed-dev
	$(BIN)/python tests/fuzz/long_run.py $(MINUTES)

# Lines that no test reaches: a table, and htmlcov/index.html.  Processes that tests start are not followed.
coverage: $(VENV)/.installed-dev
	$(BIN)/python -m pytest -n 2 -m "not slow" --cov=corundum --cov-report=term:skip-covered --cov-report=html

types: $(VENV)/.installed-dev
	$(BIN)/mypy

# The documentation as a site, with a search and a reference of every public name: out/site/index.html.  Warnings, broken
# links, headings out of order and images without a text are errors.
docs: $(VENV)/.installed-dev
	$(BIN)/python -m sphinx -W --keep-going -q -b html docs out/site
	$(BIN)/python docs/check_site.py out/site

# Contrast, names and structure of the site's pages by axe-core in Chromium; needs npm, which fetches axe-core into out/axe.
accessibility: docs
	npm install --silent --no-fund --no-audit --prefix out/axe axe-core@4.14.1
	$(BIN)/python docs/accessibility.py out/site out/axe/node_modules/axe-core/axe.min.js

lint: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

$(BIN)/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "corundum needs Python >= 3.11: run make PYTHON=python3.12, for example")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: pyproject.toml constraints.txt | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable .
	touch $@

$(VENV)/.installed-dev: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable ".[dev]"
	touch $@

# The keys of all kinds that run files name, after a signature or a parameter changed.
keys: $(VENV)/.installed-dev
	$(BIN)/python -m corundum.cli.runfile.keys_of_kinds > keys.json
	mv keys.json src/corundum/cli/runfile/keys.json

clean:
	rm -rf $(VENV) build dist out src/*.egg-info
