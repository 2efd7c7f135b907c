# make book | test | test-all | faults | bench | picture | lint | clean
PYTHON ?= $(shell command -v python3.11 || command -v python3.12 || command -v python3.13 || command -v python3)
VENV ?= .venv
BIN := $(VENV)/bin
# Two processes for each core; the tests of a file share what it builds. In the order of the folders, the slowest begin.
PARALLEL := --numprocesses auto --dist loadfile --no-loadscope-reorder --durations 25 --durations-min 5

.PHONY: book test test-all faults bench picture lint clean

book: $(VENV)/installed
	$(BIN)/reproduce book

test: $(VENV)/installed
	$(BIN)/pytest $(PARALLEL)

test-all: $(VENV)/installed
	REPRODUCE_EXAMPLES=further $(BIN)/pytest $(PARALLEL) -m "not long"

faults: $(VENV)/installed
	REPRODUCE_KEEP_COUNTS=$(CURDIR) $(BIN)/pytest tests/faults -m faults

bench: $(VENV)/installed
	$(BIN)/python -m benchmarks

picture: book
	$(BIN)/python -m tests.book.picture

lint: $(VENV)/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

clean:
	rm -rf _build book/papers book/_generated

$(VENV)/installed: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; ok = (3, 11) <= sys.version_info < (3, 14); sys.exit(0 if ok else "Python 3.11, 3.12 or 3.13 is needed, this is %s; name one with make PYTHON=..." % sys.version.split()[0])'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[jax,dask,docs,test]'
	@touch $@
