# make demo   two lab nodes and a database, an installation on them, and its table
# make check  style, types, import directions, unit tests (seconds)
# make test   everything, end to end on the lab included
SHELL := /bin/bash
VENV ?= .venv
PY := $(VENV)/bin/python

.PHONY: help check unit test clean
help:
	@sed -n 's/^# make/make/p' Makefile

$(VENV)/.ready: pyproject.toml
	python3 -m venv $(VENV)
	$(VENV)/bin/pip install --quiet --disable-pip-version-check -e '.[dev]'
	@touch $@

check: $(VENV)/.ready
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports
	$(VENV)/bin/pytest -q tests/unit
