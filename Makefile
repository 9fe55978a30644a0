# The two commands: `make run` shows the demo province, `make test` checks everything. Both install what they need.
# On a machine of many: make run PORT=8060 CITY=examples/boston/city.toml, make test PYTEST_ARGS="-k fold"

PORT ?= 8050
CITY ?=
# SHIFT=1 moves an archive's dates by whole weeks so that it ends now.
SHIFT ?=
PYTHON ?= python3
# Parallel test processes (pytest-xdist): three keep the two cores busy that the tests are sized for, some always wait; 0 = one process.
WORKERS ?= 3
PYTEST_ARGS ?=
BENCH ?=

BIN := .venv/bin
PIP_INSTALL := $(BIN)/python -m pip install --disable-pip-version-check --no-compile -c constraints.txt

# Where the environment forbids it, each process would compile every package anew (cli.py --help: 7.5 CPU s, then 2.5).
unexport PYTHONDONTWRITEBYTECODE

.PHONY: run test lint bench lock clean packages

run: .venv/installed-run
	$(BIN)/python cli.py run --port $(PORT) $(if $(CITY),--city $(CITY)) $(if $(SHIFT),--shift-to-now)

test: packages lint
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal $(PYTEST_ARGS)

lint: .venv/installed-dev
	$(BIN)/ruff check .
	$(BIN)/mypy

bench: .venv/installed-dev
	$(BIN)/python -m benchmarks $(BENCH)

# Debian packages the tests need: Chromium, a font with Vietnamese letters, PostgreSQL. Only when missing.
packages:
	@.ci/packages

# The exact set of versions for constraints.txt, resolved afresh outside .venv.
lock:
	.ci/lock $(PYTHON)

clean:
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or later is needed; $(PYTHON) is $$($(PYTHON) --version 2>&1 || echo missing)."; \
	    echo "Install it (apt-get install python3) or name another: make PYTHON=/path/to/python3.11"; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    echo "python3-venv is missing: installing it"; apt-get update -q && apt-get install -y python3-venv; \
	  else echo "python3 cannot make environments here. As root: apt-get install python3-venv"; exit 1; fi
	$(PYTHON) -m venv .venv

.venv/installed-run: .venv/bin/python requirements.txt constraints.txt
	@echo "Installing the Python packages into .venv (the first time takes a minute or two)"
	$(PIP_INSTALL) -r requirements.txt
	@touch $@

.venv/installed-dev: .venv/installed-run requirements-dev.txt
	$(PIP_INSTALL) -r requirements-dev.txt
	@touch $@
