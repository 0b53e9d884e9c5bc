# make demo          two lab nodes and a database, an installation on them, and its table
# make demo-down     remove what make demo made
# make check         style, types, import directions, unit tests, the wizard (minutes)
# make newest        the guards and unit tests on the newest of every library, in an environment of its own
# make test          all but the slow tests, end to end on lab nodes included (minutes)
# make test-faults   the slow tests: failures while deploying, Podman, old engines, brokers, registries
# make test-vm       the checks in two virtual machines: a real NFS mount, systemd, cgroup v2
# make test-fresh    make demo, again, and make test on a bare Debian 12 that is made for it (half an hour)
# make figures       modules and processor instructions of short runs against tests/figures.json (a minute)
# make bench         oz-install beside plain OpenSSH, pyinfra and Ansible, as ratios of one run
# make screenshots   screenshots/: the wizard installs on a lab of its own; every screen, and a recording
# make docs          the answers reference, from the questions
SHELL := /bin/bash
VENV ?= .venv
NEWEST ?= .venv-newest
PY := $(VENV)/bin/python
OZ := $(VENV)/bin/oz-install

.PHONY: help demo demo-down check newest e2e test test-faults test-vm test-fresh figures figures-update bench screenshots docs machine
help:
	@sed -n 's/^# make/make/p' Makefile

$(VENV)/.ready: pyproject.toml
	@python3 -c 'import ensurepip' 2>/dev/null || { echo 'Installing on this machine with apt-get: python3-venv'; \
	  apt-get -q update && DEBIAN_FRONTEND=noninteractive apt-get -q -y install --no-install-recommends python3-venv; }
	@echo 'Making a Python environment in $(VENV)'
	python3 -m venv $(VENV)
	$(VENV)/bin/pip install --quiet --disable-pip-version-check -e '.[dev]'
	@touch $@

demo: $(VENV)/.ready
	$(OZ) lab up --nodes 2
	$(OZ) --answers examples/lab-poc-2.yml --yes

demo-down: $(VENV)/.ready
	$(OZ) lab down --engine
	rm -f examples/lab-poc-2.secrets.json examples/lab-poc-2.report.txt

check: $(VENV)/.ready
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy
	$(VENV)/bin/basedpyright --pythonpath $(PY)
	$(VENV)/bin/lint-imports
	$(VENV)/bin/pytest -q -n auto tests/unit tests/tui

# The newest of everything, upper limits of pyproject.toml ignored: what breaks is a planned hour's work list.
newest:
	rm -rf $(NEWEST)
	python3 -m venv $(NEWEST)
	$(NEWEST)/bin/pip install --quiet --disable-pip-version-check -e '.[dev]'
	$(NEWEST)/bin/python tests/newest.py | xargs $(NEWEST)/bin/pip install --quiet --disable-pip-version-check \
	  --upgrade --upgrade-strategy eager
	$(NEWEST)/bin/pip list --disable-pip-version-check
	$(NEWEST)/bin/pytest -q -n auto --maxfail 50 tests/unit

# Debian packages that the tests use; said before anything is installed.
machine:
	@tests/machine.sh

# Two labs at once: more than half of the time one waits.
e2e: $(VENV)/.ready machine
	$(VENV)/bin/pytest -q -n $(if $(OZ_E2E_LAB),0,2) --dist loadfile --no-loadscope-reorder --max-worker-restart 0 \
	  -m 'not slow' tests/e2e

test: $(VENV)/.ready machine
	@trap '$(PY) -m oz_installer.lab down --name none --engine' EXIT; \
	  $(MAKE) --no-print-directory check figures && $(MAKE) --no-print-directory e2e

test-faults: $(VENV)/.ready machine
	$(VENV)/bin/pytest -q -m slow tests/e2e

test-vm: $(VENV)/.ready
	@tests/machine.sh vm
	$(VENV)/bin/pytest -q tests/vm

test-fresh: machine
	tests/fresh_machine.sh

# After a change that is meant to cost more, or less: make figures-update.
figures: $(VENV)/.ready machine
	$(PY) -m tests.figures

figures-update: $(VENV)/.ready machine
	$(PY) -m tests.figures --update

bench: $(VENV)/.ready machine
	bench/run

screenshots: $(VENV)/.ready
	@tests/machine.sh pictures
	$(PY) -m tests.pictures

docs: $(VENV)/.ready
	$(PY) -m oz_installer.answers.reference > docs/answers.md
